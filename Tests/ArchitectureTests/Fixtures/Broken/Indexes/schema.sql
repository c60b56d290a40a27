CREATE TABLE carrel.documents (
    id uuid PRIMARY KEY
);
CREATE TABLE carrel.pages (
    id uuid PRIMARY KEY
);
