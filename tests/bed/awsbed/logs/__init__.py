"""CloudWatch Logs: patterns, Insights and the operations that use them."""
