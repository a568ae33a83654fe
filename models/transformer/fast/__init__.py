"""The transformer in the hot loop: pure functions of a parameter tree, in the quickest form.

`factcap.models.transformer.decoder.Transformer` says what is computed; a test holds that these
agree with it. Activations are matrices, a row for each position of each fact.
"""
