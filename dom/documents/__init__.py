"""Documents that people write, as YAML or JSON: read with every mistake at its line, and conditions in them.

findings     what is found wrong, where, and how to mend it
text         YAML or JSON as data, with the line and column of everything in it
places       where in a text everything stands that it says
schema       what stands where in a kind of document
mistakes     what a document's model refuses, in words
reading      from a text to a document, or to what is wrong with it
expressions  conditions in CEL over an order
open_expressions  conditions and values in CEL over data of any form
"""
