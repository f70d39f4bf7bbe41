"""The running process: settings, ledger, transports, command line."""
