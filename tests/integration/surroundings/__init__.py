"""What stands around the stories: servers, databases, brokers, people, and what breaks."""
