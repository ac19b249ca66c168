/**
 * Drives as a person knows them, and what recognises them.
 *
 * Words: a *volume* is a file system that is mounted somewhere, on a drive, a partition of one or a server. Its *UUID* was given when it
 * was made, and stays wherever it is mounted (for FAT and Windows a short number: a likeness, no proof; a cloned drive has the same).
 * A *place within* is a path counted from the root of the volume.
 */

export interface Volume {
  /** Absolute path. */
  readonly mountPoint: string;
  /** What is mounted, in the system's words: `/dev/sdb1`, `server:/export`, `E:`. */
  readonly device: string;
  /** The label that a person gave it; '' for none. */
  readonly name: string;
  /** In the system's words: `ext4`, `vfat`, `apfs`, `NTFS`. */
  readonly fileSystem: string;
  /** Undefined when there is none, or it cannot be known: of network shares, and file systems in memory. */
  readonly uuid: string | undefined;
  /** The folder of the volume that is mounted: `/` for all of it, another one for bind mounts and subvolumes. */
  readonly root: string;
  /** Undefined where nobody asks: a network share may take for ever to answer. See {@link Drives.space}. */
  readonly space: Space | undefined;
  /** Whether it is made to be unplugged. */
  readonly isRemovable: boolean;
  readonly isReadOnly: boolean;
  readonly isNetwork: boolean;
}

export interface Space {
  readonly capacityBytes: number;
  /** What this person may still use. */
  readonly freeBytes: number;
}

/** Where a folder is, independent of where its volume is mounted. */
export interface PlaceWithin {
  readonly uuid: string;
  /** Below the root of the volume, with `/` between names, on Windows too; '' for the root itself. */
  readonly pathWithin: string;
}

/** The volumes of one operating system. All paths are absolute. */
export interface Drives {
  /**
   * The volumes that a person would call drives, each once, however often it is mounted. Fails when they cannot be listed: an empty
   * list would mean that all were unplugged. Throws the system's error.
   */
  list(): Promise<Volume[]>;

  /** Changes whenever {@link list} might give other volumes; cheap enough for every second. Throws the system's error. */
  fingerprint(): Promise<string>;

  /**
   * The volume that holds `path`, and where in it; of a path that does not exist, what would hold it. Links are followed. Throws the
   * system's error.
   */
  identify(path: string): Promise<{ readonly volume: Volume; readonly pathWithin: PlaceWithin['pathWithin'] }>;

  /**
   * Where such a place is now: a path for each mounted volume with this UUID that shows it, whether or not anything is there. Empty:
   * not plugged in. Two: a volume and its clone, or one that is mounted twice.
   */
  locate(place: PlaceWithin): Promise<string[]>;

  /** Of the file system at `path`. Throws the system's error; of a dead network share it may never come back. */
  space(path: string): Promise<Space>;

  /**
   * The mount point that `path` lies in although nothing is mounted there: what would be written would go to the system's own disk.
   * Undefined for a path of which nothing speaks for that.
   */
  emptyMountPoint(path: string): Promise<string | undefined>;

  /**
   * Brings everything onto the volume and unmounts it, so that it can be unplugged. Resolves when that is done.
   * Throws `drive-busy`, `drive-not-ejected`, `cancelled`.
   */
  eject(volume: Volume, signal?: AbortSignal): Promise<void>;
}
