"""What answers over HTTP with the base model or an adapter; imports nothing by itself."""
