using System.Buffers.Binary;
using ConntrackStream.Pipeline.Files;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.Pipeline.Checkpoint.CheckpointFormat;

namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>Reads and writes the file that lets a flow keep its id over a restart of the service.</summary>
public static class FlowCheckpoint
{
    /// <summary>Name under the state directory.</summary>
    public const string FileName = "flow-ids";

    /// <summary>A larger file is not read (about 12 million IPv4 flows).</summary>
    public const long MaxFileLength = 512L * 1024 * 1024;

    /// <summary>
    /// Writes a whole checkpoint; the old one stays if it fails. To write in slices, use <see cref="FlowCheckpointWriter"/>.
    /// </summary>
    /// <exception cref="IOException">The directory is missing or the disk is full.</exception>
    public static void Write(string path, CheckpointIdentity identity, Action<FlowCheckpointWriter> addAll)
    {
        using FlowCheckpointWriter writer = new(path, identity);
        addAll(writer);
        writer.Commit();
    }

    /// <summary>
    /// Loads a checkpoint for <see cref="CheckpointedFlows.TryTake"/>. Never fails: what cannot be used leaves an empty lookup whose
    /// <see cref="CheckpointedFlows.Problem"/> says why; a missing file is no problem.
    /// </summary>
    public static CheckpointedFlows Load(string path, CheckpointIdentity identity)
    {
        try
        {
            if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
                return CheckpointedFlows.Empty();
            using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(Path.GetFullPath(path))!);
            using SafeFileHandle? handle = directory.TryOpen(Path.GetFileName(path));
            if (handle is null)
                return CheckpointedFlows.Empty();
            using FileStream file = new(handle, FileAccess.Read, bufferSize: 0);
            if (file.Length > MaxFileLength)
                return CheckpointedFlows.Unusable($"{path} has {file.Length} bytes, more than the {MaxFileLength} allowed");
            byte[] content = GC.AllocateUninitializedArray<byte>((int)file.Length);
            file.ReadExactly(content);
            return CheckpointedFlows.From(content, Verify(content, identity, out int count), count, path, BegunAt(handle));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return CheckpointedFlows.Unusable($"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>The file's time, as <see cref="FlowCheckpointWriter.Commit"/> sets it.</summary>
    private static long BegunAt(SafeFileHandle handle) =>
        (File.GetLastWriteTimeUtc(handle) - DateTime.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>What is wrong with the file as a whole; null when nothing is.</summary>
    private static string? Verify(ReadOnlySpan<byte> content, CheckpointIdentity identity, out int count)
    {
        count = 0;
        if (content.Length < HeaderLength + TrailerLength)
            return "truncated";
        if (!content.StartsWith(Magic))
            return "not a checkpoint of flow ids";
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(content[8..]);
        if (version != FormatVersion)
            return $"version {version}, this program reads {FormatVersion}";
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(content[^sizeof(uint)..]);
        if (checksum != Crc32C.Append(0, content[..^sizeof(uint)]))
            return "damaged or truncated (checksum)";
        ulong records = BinaryPrimitives.ReadUInt64LittleEndian(content[^TrailerLength..]);
        if (records > (ulong)content.Length)
            return "damaged (number of records)";
        if (new Guid(content.Slice(16, 16), bigEndian: true) != identity.BootId)
            return "written before the last boot";
        if (BinaryPrimitives.ReadUInt64LittleEndian(content[32..]) != identity.NetworkNamespace)
            return "written in another network namespace";
        count = (int)records;
        return null;
    }
}
