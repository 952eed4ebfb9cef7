using System.Runtime.InteropServices;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

// The members of union bpf_attr (linux/bpf.h), one a group of commands. The kernel takes a shorter union than its own for one that goes on
// with zeros, so each is passed with its own size.

[StructLayout(LayoutKind.Explicit, Size = 44)]
internal unsafe struct BpfMapCreate // BPF_MAP_CREATE
{
    [FieldOffset(0)] public BpfMapType MapType; // map_type
    [FieldOffset(4)] public uint KeySize; // key_size
    [FieldOffset(8)] public uint ValueSize; // value_size
    [FieldOffset(12)] public uint MaxEntries; // max_entries
    [FieldOffset(28)] public fixed byte Name[BpfMapInfo.NameSize]; // map_name
}

[StructLayout(LayoutKind.Explicit, Size = 32)]
internal unsafe struct BpfElement // BPF_MAP_LOOKUP_ELEM, _UPDATE_ELEM, _LOOKUP_AND_DELETE_ELEM
{
    [FieldOffset(0)] public int MapFd; // map_fd
    [FieldOffset(8)] public byte* Key; // key
    [FieldOffset(16)] public byte* Value; // value
    [FieldOffset(24)] public ulong Flags; // flags
}

[StructLayout(LayoutKind.Explicit, Size = 56)]
internal unsafe struct BpfBatch // BPF_MAP_LOOKUP_BATCH: batch.
{
    [FieldOffset(0)] public uint* InBatch; // in_batch
    [FieldOffset(8)] public uint* OutBatch; // out_batch
    [FieldOffset(16)] public byte* Keys; // keys
    [FieldOffset(24)] public byte* Values; // values
    [FieldOffset(32)] public uint Count; // count: room, then rows
    [FieldOffset(36)] public int MapFd; // map_fd
}

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct BpfObject // BPF_OBJ_PIN, BPF_OBJ_GET
{
    [FieldOffset(0)] public byte* Pathname; // pathname
    [FieldOffset(8)] public int Fd; // bpf_fd
    [FieldOffset(12)] public uint FileFlags; // file_flags
}

[StructLayout(LayoutKind.Explicit, Size = 12)]
internal struct BpfId // BPF_MAP_GET_NEXT_ID, BPF_MAP_GET_FD_BY_ID
{
    [FieldOffset(0)] public uint Id; // start_id, map_id
    [FieldOffset(4)] public uint NextId; // next_id
    [FieldOffset(8)] public uint OpenFlags; // open_flags
}

[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct BpfInfo // BPF_OBJ_GET_INFO_BY_FD: info.
{
    [FieldOffset(0)] public int Fd; // bpf_fd
    [FieldOffset(4)] public int Length; // info_len
    [FieldOffset(8)] public void* Info; // info
}
