"""The OpenAPI document.

test_openapi         complete, true, and the one that is committed
test_compatibility   each way to break a caller is noticed
test_docs_page       the page that shows it
test_example_models  every example is what its model takes or answers
test_examples        examples overwrite nothing of the sample
test_examples_tried  every example is sent to the sample
"""
