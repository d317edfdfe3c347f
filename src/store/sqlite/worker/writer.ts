// The worker thread that owns the writing connection: SQLite blocks, and the event loop must not.
import { parentPort, workerData } from 'node:worker_threads'
import type { StoreFile } from './connection.ts'
import { serveDatabase } from './serve-database.ts'

if (parentPort === null) throw new TypeError('writer.ts runs as a worker thread')
serveDatabase(parentPort, workerData as StoreFile)
