"""The side effects, one module a capability. Local activities touch only our database; remote ones leave the system."""
