drop table import_errors;
drop table imports;
