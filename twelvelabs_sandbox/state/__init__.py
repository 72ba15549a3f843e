"""What a running sandbox holds between requests: assets, uploads, tasks, files, threads and its clock."""
