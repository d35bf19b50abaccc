"""Networks as ONNX graphs: traced, made faster, rounded to eight bits, and read back."""
