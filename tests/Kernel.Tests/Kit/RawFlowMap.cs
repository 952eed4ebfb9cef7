using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// The agent's map, of either family (keys with ifindex; values of 1 byte or 16) over the kit's own system calls, with what tests do to it.
/// </summary>
public sealed unsafe class RawFlowMap : IFlowMap
{
    private const int MaxKey = 60;
    private const int NarrowValue = 1, WideValue = 16; // u8 state; u64 state, u64 last_seen
    private const int BatchLength = 4096; // more than a bucket ever holds: ENOSPC otherwise

    /// <summary>Opens a pinned map.</summary>
    public RawFlowMap(string pin)
    {
        Handle = Open(pin);
        Info = Describe(Handle, pin);
    }

    /// <inheritdoc/>
    public FlowMapInfo Info { get; private set; }

    internal SafeFileHandle Handle { get; private set; }

    internal GateMap ForGate => new(Handle, Info.IsIPv6, Info.HasLastSeen);

    private RawMapLayout Layout => Info.IsIPv6 ? RawMapLayout.V6 : RawMapLayout.V4;

    /// <summary>Makes an empty map as the agent does and pins it.</summary>
    /// <param name="wide">Values of 16 bytes, as after 1.4.1; otherwise of 1.</param>
    /// <param name="capacity">max_entries; the kernel evicts the least recently used beyond, and some before.</param>
    public static RawFlowMap Create(string pin, bool ipv6 = false, bool wide = false, uint capacity = 65536)
    {
        int keyLength = (ipv6 ? RawMapLayout.V6 : RawMapLayout.V4).Length, valueLength = wide ? WideValue : NarrowValue;
        using SafeFileHandle map = KitBpf.CreateMap(KitBpf.BPF_MAP_TYPE_LRU_HASH, keyLength, valueLength, capacity, "aws_conntrack_m");
        fixed (byte* path = Encoding.UTF8.GetBytes(pin + '\0'))
        {
            KitBpf.ObjectAttr attr = new() { Path = path, Fd = KitBpf.Fd(map) };
            KitBpf.Call(KitBpf.BPF_OBJ_PIN, ref attr, $"pinning {pin}");
        }

        return new RawFlowMap(pin);
    }

    /// <summary>Whether the map has an entry of this key.</summary>
    public bool Has(in MapKey key) => TryLookup(key, out _);

    /// <summary>Puts an entry there, over one that may be there.</summary>
    public void Insert(in MapKey key, in MapValue value = default) => Update(key, value, KitBpf.BPF_ANY, "inserting into");

    /// <summary>Puts an entry there whose key is not of this layout's making, such as one with something in its padding.</summary>
    public void InsertBytes(ReadOnlySpan<byte> key)
    {
        ulong* value = stackalloc ulong[WideValue / sizeof(ulong)];
        Call(KitBpf.BPF_MAP_UPDATE_ELEM, key, (byte*)value, KitBpf.BPF_ANY, "inserting into", no: Errno.None);
    }

    /// <summary>Removes an entry; false when there was none.</summary>
    public bool Delete(in MapKey key) => Call(KitBpf.BPF_MAP_DELETE_ELEM, key, null, 0, "deleting from", Errno.ENOENT);

    /// <summary>All keys, those of a quiet map once each.</summary>
    public HashSet<MapKey> Keys() => MapCopy.Of(this);

    /// <inheritdoc/>
    public bool Refresh()
    {
        SafeFileHandle now = Open(Info.Source);
        FlowMapInfo info = Describe(now, Info.Source);
        if (info.Id == Info.Id)
        {
            now.Dispose();
            return false;
        }

        Handle.Dispose();
        (Handle, Info) = (now, info);
        return true;
    }

    /// <inheritdoc/>
    public FlowMapScan Scan(MapEntryPool pool, Action<MapEntryBatch> onBatch, CancellationToken cancellationToken)
    {
        RawMapLayout layout = Layout;
        int keyLength = layout.Length, valueLength = ValueLength;
        byte[] keys = new byte[BatchLength * keyLength], values = new byte[BatchLength * valueLength];
        uint token = 0;
        long entries = 0, junk = 0;
        bool first = true, more = true;
        while (more)
        {
            int count = Next(ref token, first, keys, values, out more);
            first = false;
            for (int start = 0; start < count; start += MapEntryBatch.Capacity)
            {
                MapEntryBatch batch = pool.Rent(cancellationToken);
                for (int i = start; i < Math.Min(count, start + MapEntryBatch.Capacity); i++)
                {
                    if (layout.TryDecode(keys.AsSpan(i * keyLength, keyLength), out MapKey key))
                        batch.Add(new MapEntry(key, Decode(values.AsSpan(i * valueLength, valueLength))));
                    else
                        junk++;
                }

                entries += batch.Count;
                onBatch(batch);
            }
        }

        return new FlowMapScan(entries, junk);
    }

    /// <inheritdoc/>
    public bool TryLookup(in MapKey key, out MapValue value) => Read(KitBpf.BPF_MAP_LOOKUP_ELEM, key, out value, "reading");

    /// <inheritdoc/>
    public bool TryTake(in MapKey key, out MapValue value) => Read(KitBpf.BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, out value, "taking from");

    /// <inheritdoc/>
    public bool TryRestore(in MapKey key, in MapValue value) => Update(key, value, KitBpf.BPF_NOEXIST, "restoring into");

    public void Dispose() => Handle.Dispose();

    private int ValueLength => Info.HasLastSeen ? WideValue : NarrowValue;

    private int Next(ref uint token, bool first, byte[] keys, byte[] values, out bool more)
    {
        fixed (uint* at = &token)
        fixed (byte* keyBytes = keys, valueBytes = values)
        {
            KitBpf.BatchAttr attr = new()
            {
                In = first ? null : at,
                Out = at,
                Keys = keyBytes,
                Values = valueBytes,
                Count = BatchLength,
                MapFd = KitBpf.Fd(Handle),
            };
            Errno errno = KitBpf.Try(KitBpf.BPF_MAP_LOOKUP_BATCH, ref attr, out _);
            more = errno == Errno.None;
            return errno is Errno.None or Errno.ENOENT ? (int)attr.Count : throw new FlowMapException($"scanning {Info.Source}", errno);
        }
    }

    private bool Read(int command, in MapKey key, out MapValue value, string doing)
    {
        byte* bytes = stackalloc byte[WideValue];
        bool found = Call(command, key, bytes, 0, doing, Errno.ENOENT);
        value = found ? Decode(new ReadOnlySpan<byte>(bytes, ValueLength)) : default;
        return found;
    }

    private bool Update(in MapKey key, in MapValue value, ulong flags, string doing)
    {
        byte* bytes = stackalloc byte[WideValue];
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(bytes, 8), value.State);
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(bytes + 8, 8), value.LastSeen);
        return Call(KitBpf.BPF_MAP_UPDATE_ELEM, key, bytes, flags, doing, Errno.EEXIST);
    }

    private bool Call(int command, in MapKey key, byte* value, ulong flags, string doing, Errno no)
    {
        Span<byte> bytes = stackalloc byte[MaxKey];
        Layout.Encode(key, bytes[..Layout.Length]);
        return Call(command, bytes, value, flags, doing, no);
    }

    private bool Call(int command, ReadOnlySpan<byte> key, byte* value, ulong flags, string doing, Errno no)
    {
        fixed (byte* bytes = key)
        {
            KitBpf.ElementAttr attr = new() { MapFd = KitBpf.Fd(Handle), Key = bytes, Value = value, Flags = flags };
            Errno errno = KitBpf.Try(command, ref attr, out _);
            return errno == Errno.None || (errno == no ? false : throw new FlowMapException($"{doing} {Info.Source}", errno));
        }
    }

    private static MapValue Decode(ReadOnlySpan<byte> from) => from.Length == NarrowValue
        ? new MapValue(from[0], 0)
        : new MapValue(BinaryPrimitives.ReadUInt64LittleEndian(from), BinaryPrimitives.ReadUInt64LittleEndian(from[8..]));

    private static SafeFileHandle Open(string pin)
    {
        fixed (byte* path = Encoding.UTF8.GetBytes(pin + '\0'))
        {
            KitBpf.ObjectAttr attr = new() { Path = path };
            return new SafeFileHandle(KitBpf.Call(KitBpf.BPF_OBJ_GET, ref attr, $"opening {pin}"), ownsHandle: true);
        }
    }

    private static FlowMapInfo Describe(SafeFileHandle map, string pin)
    {
        KitBpf.MapInfo info;
        KitBpf.InfoAttr attr = new() { Fd = KitBpf.Fd(map), Length = (uint)sizeof(KitBpf.MapInfo), Info = &info };
        KitBpf.Call(KitBpf.BPF_OBJ_GET_INFO_BY_FD, ref attr, $"describing {pin}");
        bool ipv6 = info.KeySize == RawMapLayout.V6.Length, wide = info.ValueSize == WideValue;
        bool known = info.Type == KitBpf.BPF_MAP_TYPE_LRU_HASH
            && (ipv6 || info.KeySize == RawMapLayout.V4.Length)
            && (wide || info.ValueSize == NarrowValue);
        if (!known)
            throw new FlowMapException(
                $"describing {pin}", Errno.None, $"type {info.Type}, key {info.KeySize}, value {info.ValueSize} is no agent's");
        string name = Marshal.PtrToStringUTF8((nint)info.Name)!, layout = $"aws {(ipv6 ? "v6" : "v4")}, value {info.ValueSize}";
        return new FlowMapInfo(
            info.Id, pin, name, layout, info.MaxEntries, ipv6, HasInterfaceIndex: true, HasLastSeen: wide, IsWritable: true);
    }
}
