using System.Runtime.InteropServices;
using System.Text;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>The beginning of struct bpf_map_info (linux/bpf.h), as far as every supported kernel has it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct BpfMapInfo
{
    internal const int NameSize = 16; // BPF_OBJ_NAME_LEN, the terminating zero included

    [FieldOffset(0)] public BpfMapType Type; // type
    [FieldOffset(4)] public uint Id; // id
    [FieldOffset(8)] public uint KeySize; // key_size
    [FieldOffset(12)] public uint ValueSize; // value_size
    [FieldOffset(16)] public uint MaxEntries; // max_entries
    [FieldOffset(20)] public uint Flags; // map_flags
    [FieldOffset(24)] private fixed byte _name[NameSize]; // name

    public string Name
    {
        get
        {
            fixed (byte* name = _name)
                return Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
        }
    }

    /// <summary>What an operator needs to recognise a map by.</summary>
    public override string ToString() =>
        $"map id {Id} '{Name}', type {Type} ({(uint)Type}), key {KeySize} bytes, value {ValueSize} bytes, max_entries {MaxEntries}";
}
