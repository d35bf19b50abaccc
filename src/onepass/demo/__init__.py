"""A page for a browser where a model can be tried without writing code.

`asking` reads what stands in the form, `answering` gives what the page shows, `code` writes the
same as a program, `policy` says who may ask, `page` lays it out with Gradio (extra ``demo``) and
`run` serves it. Only the last two know Gradio.
"""
