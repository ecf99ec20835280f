"""What the API takes and answers beyond the messages of the processes: the shapes of the contract."""
