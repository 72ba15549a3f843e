"""Embeds the media files of validated requests, and writes the vectors as response JSON."""
