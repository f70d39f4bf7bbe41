"""One Slack conversation each: text in, blocks out."""
