"""The resources under /services/data/vNN.0, each a function from a request to an answer."""
