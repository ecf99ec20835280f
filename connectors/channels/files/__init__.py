"""Files of orders in a folder, here or on an SFTP server.

settings   what has to be known of the folder and its files
folder     what is asked of a folder, and a folder of this machine
sftp       a folder of an SFTP server
drop       which file is read next, and where it goes when it was read
lines      from bytes to lines
records    from lines to records: rows of CSV, values of JSON Lines
grouping   from records to orders
reading    a page of a file, and where the next one begins
connector  the connector of the platform `files`
"""
