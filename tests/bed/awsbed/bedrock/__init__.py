"""Bedrock's control plane."""
