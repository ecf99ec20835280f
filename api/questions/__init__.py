"""Questions to customers: asked when what was promised comes later.

examples      questions and answers
models        the same, as staff, channels and customers see them
routes        listed, and answered in a customer's name
public_routes the customer's link: shown and answered without a login
page          the page behind the link
"""
