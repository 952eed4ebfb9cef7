namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>
/// Which connection table a checkpoint is about: flow ids mean nothing after a reboot or in another network namespace, so a checkpoint with
/// another identity matches no flow.
/// </summary>
/// <param name="BootId">/proc/sys/kernel/random/boot_id.</param>
/// <param name="NetworkNamespace">Inode of the network namespace, as in <c>net:[4026531840]</c>.</param>
public readonly record struct CheckpointIdentity(Guid BootId, ulong NetworkNamespace);
