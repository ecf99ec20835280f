"""The keeper's jobs: publishing, sweeping, looking again, comparing processes with the store."""
