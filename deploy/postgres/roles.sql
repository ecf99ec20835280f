-- Run once by the PostgreSQL image, when its volume is empty: one role and database each for the orders and for
-- Temporal, so that neither can read the other. The passwords come from the environment of the container.
\getenv orders_password ORDERS_DB_PASSWORD
\getenv temporal_password TEMPORAL_DB_PASSWORD
CREATE ROLE orders LOGIN PASSWORD :'orders_password';
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE orders OWNER orders;
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
REVOKE CONNECT ON DATABASE orders, temporal, temporal_visibility FROM PUBLIC;
