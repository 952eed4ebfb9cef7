using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Files;
using static ConntrackStream.Pipeline.Checkpoint.CheckpointFormat;

namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>
/// Streams a checkpoint into a temporary file beside the target; <see cref="Commit"/> renames it over, so that a reader finds the old one
/// or the new one, never half of one. There is no fsync: after a power loss the boot id differs and the file is of no use anyway. Memory:
/// one buffer of 64 KiB. Not thread-safe.
/// </summary>
public sealed class FlowCheckpointWriter : IDisposable
{
    private const int BufferLength = 64 * 1024;

    private readonly OwnedDirectory _directory;
    private readonly string _name;
    private readonly string _temporary;
    private readonly FileStream _file;
    private readonly byte[] _buffer = new byte[BufferLength];
    private readonly DateTime _begun;
    private int _used;
    private uint _checksum;
    private bool _committed;

    /// <summary>Begins a checkpoint that will be <paramref name="path"/>.</summary>
    /// <exception cref="IOException">The temporary file cannot be made; the directory may be missing.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written to.</exception>
    public FlowCheckpointWriter(string path, CheckpointIdentity identity)
    {
        _directory = OwnedDirectory.Open(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _name = Path.GetFileName(path);
        _temporary = _name + ".tmp";
        try
        {
            _file = new FileStream(_directory.Create(_temporary, FileModes.State), FileAccess.Write, bufferSize: 0);
        }
        catch
        {
            _directory.Dispose();
            throw;
        }

        _begun = File.GetLastWriteTimeUtc(_file.SafeFileHandle); // it has just been made
        Magic.CopyTo(_buffer);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(8), FormatVersion);
        identity.BootId.TryWriteBytes(_buffer.AsSpan(16), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(32), identity.NetworkNamespace);
        _used = HeaderLength;
    }

    /// <summary>Flows added so far.</summary>
    public ulong Count { get; private set; }

    /// <exception cref="IOException">The disk is full, for one. Dispose the writer: the old checkpoint stays.</exception>
    public void Add(in CheckpointedFlow flow)
    {
        if (BufferLength - _used < MaxRecordLength)
            WriteOut();
        _used += Encode(_buffer.AsSpan(_used), flow);
        Count++;
    }

    /// <summary>Completes the file and puts it into place. Its time is that of its beginning: what began later is in no record.</summary>
    /// <exception cref="IOException">As for <see cref="Add"/>.</exception>
    public void Commit()
    {
        if (BufferLength - _used < TrailerLength)
            WriteOut();
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.AsSpan(_used), Count);
        _used += sizeof(ulong);
        _checksum = Crc32C.Append(_checksum, _buffer.AsSpan(0, _used));
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_used), _checksum);
        _used += sizeof(uint);
        _file.Write(_buffer, 0, _used);
        File.SetLastWriteTimeUtc(_file.SafeFileHandle, _begun);
        _file.Dispose();
        _directory.Rename(_temporary, _name);
        _committed = true;
    }

    /// <summary>Without a <see cref="Commit"/>, the temporary file is removed and the old checkpoint stays.</summary>
    public void Dispose()
    {
        _file.Dispose();
        if (!_committed)
            _directory.Delete(_temporary);
        _directory.Dispose();
    }

    /// <summary>Only whole multiples of 8 bytes, so that the checksum's steps do not depend on where the buffer ended.</summary>
    private void WriteOut()
    {
        int whole = _used & ~7;
        _checksum = Crc32C.Append(_checksum, _buffer.AsSpan(0, whole));
        _file.Write(_buffer, 0, whole);
        _buffer.AsSpan(whole, _used - whole).CopyTo(_buffer);
        _used -= whole;
    }

    private int Encode(Span<byte> to, in CheckpointedFlow flow)
    {
        ref readonly FlowTuple tuple = ref flow.Original;
        RecordFlags flags = (tuple.IsIPv6 ? RecordFlags.IPv6 : RecordFlags.None) | (tuple.Zone != 0 ? RecordFlags.Zone : RecordFlags.None)
            | (flow.StartTime != 0 ? RecordFlags.Start : RecordFlags.None) | (flow.HasCounters ? RecordFlags.Counters : RecordFlags.None);
        to[0] = (byte)flags;
        to[1] = (byte)tuple.Protocol;
        int at = 2;
        if (flags.HasFlag(RecordFlags.Zone))
            at += Put(to[at..], tuple.Zone);
        at += tuple.Source.WriteTo(to[at..], tuple.Family);
        at += tuple.Destination.WriteTo(to[at..], tuple.Family);
        at += Put(to[at..], tuple.SourcePort);
        at += Put(to[at..], tuple.DestinationPort);
        at += Put(to[at..], flow.Id.Instance);
        at += Put(to[at..], flow.Id.Sequence);
        BinaryPrimitives.WriteUInt32LittleEndian(to[at..], flow.ConntrackId);
        at += sizeof(uint);
        if (flags.HasFlag(RecordFlags.Start))
            at += Put(to[at..], (ulong)flow.StartTime);
        if (flags.HasFlag(RecordFlags.Counters))
        {
            at += Put(to[at..], flow.Packets);
            at += Put(to[at..], flow.Bytes);
        }

        return at;
    }

    private static int Put(Span<byte> to, ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(to, value);
        return sizeof(ushort);
    }

    private static int Put(Span<byte> to, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, value);
        return sizeof(ulong);
    }
}
