"""The admin port: pages and measures for the people who run this gateway. Never inference."""
