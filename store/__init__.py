"""PostgreSQL: tables, migrations and one repository an aggregate. All SQL of the house is here."""
