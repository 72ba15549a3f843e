"""The film maker of the sandbox, under its former name."""

from twelvelabs_sandbox.films import *  # noqa: F403
