"""What turns accepted pairs into an adapter; imports nothing by itself."""
