/** Where the archive of the exits campaign is, inside the data directory. */

/** Name of the file. */
export const ARCHIVE_FILE = 'history.db'
