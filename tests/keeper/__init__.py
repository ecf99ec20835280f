"""The keeper's jobs: publishing, expiring, reoptimising, comparing processes with the store."""
