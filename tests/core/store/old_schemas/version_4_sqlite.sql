BEGIN TRANSACTION;
CREATE TABLE twelvelabs_aliases (
	segment_id TEXT NOT NULL,
	task INTEGER NOT NULL,
	"row" INTEGER NOT NULL,
	source TEXT NOT NULL,
	PRIMARY KEY (segment_id),
	FOREIGN KEY(task, "row") REFERENCES twelvelabs_vectors (task, "row") ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "twelvelabs_aliases" VALUES('id-0',1,0,'match.mp4');
INSERT INTO "twelvelabs_aliases" VALUES('id-1',1,1,'match.mp4');
INSERT INTO "twelvelabs_aliases" VALUES('id-2',1,2,'match.mp4');
INSERT INTO "twelvelabs_aliases" VALUES('id-3',2,0,'talk.mp4');
CREATE TABLE twelvelabs_assets (
	content TEXT NOT NULL,
	account TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (content, account)
);
INSERT INTO "twelvelabs_assets" VALUES('sha256:1','me','a1',1.79592205148408746726e+09);
CREATE TABLE twelvelabs_files (
	path TEXT NOT NULL,
	size BIGINT NOT NULL,
	mtime_ns BIGINT NOT NULL,
	sha256 TEXT NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (path)
);
INSERT INTO "twelvelabs_files" VALUES('/videos/match.mp4',7,1700000000123456789,'aa',1.79592205142015838622e+09);
CREATE TABLE twelvelabs_meta (
	name TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (name)
);
INSERT INTO "twelvelabs_meta" VALUES('version','4');
INSERT INTO "twelvelabs_meta" VALUES('created_at','1795922050.9470682');
INSERT INTO "twelvelabs_meta" VALUES('journal','5a27307308a64dedb6612dff0d1498b9');
CREATE TABLE twelvelabs_payments (
	id INTEGER NOT NULL,
	"key" TEXT NOT NULL,
	source TEXT NOT NULL,
	model TEXT NOT NULL,
	space TEXT NOT NULL,
	minutes DOUBLE,
	created_at DOUBLE NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "twelvelabs_payments" VALUES(1,'ready','match.mp4','marengo3.0','sandbox/marengo3.0/4',0.075,1.79592205098857855792e+09);
INSERT INTO "twelvelabs_payments" VALUES(2,'uncertain','talk.mp4','marengo3.0','sandbox/marengo3.0/4',0.05,1.79592205111170363429e+09);
INSERT INTO "twelvelabs_payments" VALUES(3,'processing','long.mp4','marengo3.0','sandbox/marengo3.0/4',NULL,1.79592205123954224582e+09);
INSERT INTO "twelvelabs_payments" VALUES(4,'failed','broken.mp4','marengo3.0','sandbox/marengo3.0/4',NULL,1.79592205131995534895e+09);
CREATE TABLE twelvelabs_pending_transcripts (
	content TEXT NOT NULL,
	origin TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (content, origin)
);
INSERT INTO "twelvelabs_pending_transcripts" VALUES('sha256:1','twelvelabs','a1',1.79592205161150336267e+09);
CREATE TABLE twelvelabs_tasks (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	"key" TEXT NOT NULL,
	space TEXT NOT NULL,
	content TEXT NOT NULL,
	model TEXT NOT NULL,
	params TEXT NOT NULL,
	source TEXT NOT NULL,
	account TEXT NOT NULL,
	state TEXT NOT NULL,
	task_id TEXT,
	error TEXT,
	duration_sec DOUBLE,
	dimension INTEGER,
	vector_count INTEGER,
	attempts INTEGER NOT NULL,
	owner TEXT NOT NULL,
	revision INTEGER NOT NULL,
	created_at DOUBLE NOT NULL,
	updated_at DOUBLE NOT NULL,
	CONSTRAINT known_state CHECK (state IN ('intent', 'processing', 'ready', 'failed', 'expired')),
	UNIQUE ("key")
);
INSERT INTO "twelvelabs_tasks" VALUES(1,'ready','sandbox/marengo3.0/4','sha256:1','marengo3.0','{"embedding_option": ["visual"]}','match.mp4','me','ready','t1',NULL,4.5,4,3,1,'host/1/edeaa0fe',3,1.79592205098857855792e+09,1.79592205108432650569e+09);
INSERT INTO "twelvelabs_tasks" VALUES(2,'uncertain','sandbox/marengo3.0/4','sha256:2','marengo3.0','{"embedding_option": ["visual"]}','talk.mp4','me','ready','t2',NULL,3.0,4,2,1,'host/1/edeaa0fe',3,1.79592205111170363429e+09,1.79592205120894885059e+09);
INSERT INTO "twelvelabs_tasks" VALUES(3,'processing','sandbox/marengo3.0/4','sha256:3','marengo3.0','{"embedding_option": ["visual"]}','long.mp4','me','processing','t3',NULL,NULL,NULL,NULL,1,'host/1/edeaa0fe',2,1.79592205123954224582e+09,1.79592205127217578895e+09);
INSERT INTO "twelvelabs_tasks" VALUES(4,'intent','sandbox/marengo3.0/4','sha256:4','marengo3.0','{"embedding_option": ["visual"]}','new.mp4','me','intent',NULL,NULL,NULL,NULL,NULL,1,'host/1/edeaa0fe',1,1.79592205130002117163e+09,1.79592205130002117163e+09);
INSERT INTO "twelvelabs_tasks" VALUES(5,'failed','sandbox/marengo3.0/4','sha256:5','marengo3.0','{"embedding_option": ["visual"]}','broken.mp4','me','failed','t5','no frames',NULL,NULL,NULL,1,'host/1/edeaa0fe',3,1.79592205131995534895e+09,1.79592205138840150828e+09);
CREATE TABLE twelvelabs_titles (
	source TEXT NOT NULL,
	title TEXT NOT NULL,
	PRIMARY KEY (source, title)
);
CREATE TABLE twelvelabs_transcripts (
	content TEXT NOT NULL,
	origin TEXT NOT NULL,
	words TEXT NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (content, origin)
);
INSERT INTO "twelvelabs_transcripts" VALUES('sha256:1','sandbox','[[0.0, 0.5, "goal"]]',1.79592205154350614544e+09);
INSERT INTO "twelvelabs_transcripts" VALUES('sha256:2','sandbox','[]',1.79592205157941579816e+09);
CREATE TABLE twelvelabs_uploads (
	content TEXT NOT NULL,
	account TEXT NOT NULL,
	upload_id TEXT NOT NULL,
	asset_id TEXT NOT NULL,
	chunk_size BIGINT NOT NULL,
	upload_headers TEXT NOT NULL,
	options TEXT NOT NULL,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (content, account)
);
INSERT INTO "twelvelabs_uploads" VALUES('sha256:6','me','u1','a6',5242880,'{"Content-Type": "video/mp4"}','{"filename": "a.mp4"}',1.79592205151557040209e+09);
CREATE TABLE twelvelabs_urls (
	url TEXT NOT NULL,
	content TEXT NOT NULL,
	validator TEXT,
	updated_at DOUBLE NOT NULL,
	PRIMARY KEY (url)
);
INSERT INTO "twelvelabs_urls" VALUES('https://example.com/a.mp4','sha256:1','"etag"',1.79592205145219731329e+09);
CREATE TABLE twelvelabs_vectors (
	task INTEGER NOT NULL,
	"row" INTEGER NOT NULL,
	start_sec DOUBLE NOT NULL,
	end_sec DOUBLE NOT NULL,
	embedding_option TEXT NOT NULL,
	embedding_scope TEXT NOT NULL,
	page_start INTEGER,
	page_end INTEGER,
	quadrant TEXT,
	chunk_index INTEGER,
	vector BLOB NOT NULL,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (task, "row"),
	FOREIGN KEY(task) REFERENCES twelvelabs_tasks (id) ON DELETE CASCADE
);
INSERT INTO "twelvelabs_vectors" VALUES(1,0,0.0,1.5,'visual','clip',NULL,NULL,NULL,NULL,X'000000000000803F0000004000004040',627055499);
INSERT INTO "twelvelabs_vectors" VALUES(1,1,1.5,3.0,'visual','clip',NULL,NULL,NULL,NULL,X'000080400000A0400000C0400000E040',3291924555);
INSERT INTO "twelvelabs_vectors" VALUES(1,2,3.0,4.5,'visual','clip',NULL,NULL,NULL,NULL,X'00000041000010410000204100003041',3729106669);
INSERT INTO "twelvelabs_vectors" VALUES(2,0,0.0,1.5,'visual','clip',NULL,NULL,NULL,NULL,X'000000000000803F0000004000004040000000000000003F0000803F0000C03F',3813805469);
INSERT INTO "twelvelabs_vectors" VALUES(2,1,1.5,3.0,'visual','clip',NULL,NULL,NULL,NULL,X'000080400000A0400000C0400000E04000000040000020400000404000006040',896133397);
CREATE INDEX ix_twelvelabs_tasks_source ON twelvelabs_tasks (source);
CREATE INDEX twelvelabs_tasks_content ON twelvelabs_tasks (content, space);
CREATE INDEX ix_twelvelabs_titles_title ON twelvelabs_titles (title);
CREATE INDEX ix_twelvelabs_uploads_asset_id ON twelvelabs_uploads (asset_id);
CREATE INDEX ix_twelvelabs_payments_key ON twelvelabs_payments ("key");
CREATE INDEX ix_twelvelabs_payments_created_at ON twelvelabs_payments (created_at);
CREATE INDEX ix_twelvelabs_aliases_source ON twelvelabs_aliases (source);
CREATE INDEX twelvelabs_aliases_vector ON twelvelabs_aliases (task, "row");
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('twelvelabs_tasks',5);
COMMIT;
