"""How requests reach the app: Socket Mode and HTTP, each seeing whether the reply got out."""
