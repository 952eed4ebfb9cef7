using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>
/// A pinned eBPF conntrack map of a known layout, over bpf(2). A call costs a system call and no allocation; a map recreated under the same
/// path is another map, taken up by <see cref="Refresh"/> alone.
/// </summary>
public sealed partial class EbpfFlowMap : IFlowMap
{
    private readonly string? _path; // null: named by id, which is never given to another map
    private readonly bool _forDeleting;
    private volatile OpenedMap _map; // a scan on another thread goes on with the one it began with

    private EbpfFlowMap(string? path, bool forDeleting, OpenedMap map) => (_path, _forDeleting, _map) = (path, forDeleting, map);

    public FlowMapInfo Info => _map.Info;

    /// <summary>Opens a map.</summary>
    /// <param name="source">The path of its pin, or <c>id:N</c>.</param>
    /// <param name="forDeleting">False opens it with BPF_F_RDONLY: whatever is called, the kernel refuses to change the map.</param>
    /// <exception cref="FlowMapException">There is none, it may not be opened, or its layout is not known; the
    /// message says what to do.</exception>
    public static EbpfFlowMap Open(string source, bool forDeleting)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(source);
        return new EbpfFlowMap(OpenedMap.IsId(source) ? null : source, forDeleting, OpenedMap.Open(source, forDeleting));
    }

    public bool Refresh()
    {
        if (_path is null)
            return false;
        OpenedMap now = OpenedMap.Open(_path, _forDeleting), before = _map;
        if (now.Info.Id == before.Info.Id)
        {
            now.Dispose();
            return false;
        }

        _map = now;
        before.Dispose();
        return true;
    }

    public bool TryLookup(in MapKey key, out MapValue value) => TryRead(BpfCommand.MapLookupElem, "looking up", key, out value);

    public bool TryTake(in MapKey key, out MapValue value) => TryRead(BpfCommand.MapLookupAndDeleteElem, "deleting", key, out value);

    public bool TryRestore(in MapKey key, in MapValue value)
    {
        Errno errno = Write(_map, key, value, Bpf.BPF_NOEXIST);
        return errno switch
        {
            Errno.None => true,
            Errno.EEXIST => false,
            _ => throw Failed(_map, "putting back", errno),
        };
    }

    /// <summary>Closes the map; a scan that still runs keeps it open until it ends.</summary>
    public void Dispose() => _map.Dispose();

    private bool TryRead(BpfCommand command, string verb, in MapKey key, out MapValue value)
    {
        OpenedMap map = _map;
        Span<byte> keyBytes = stackalloc byte[MapLayoutRules.MaxSize], valueBytes = stackalloc byte[MapLayoutRules.MaxSize];
        keyBytes = keyBytes[..map.Layout.KeySize];
        valueBytes = valueBytes[..map.Layout.ValueSize];
        map.Layout.Encode(key, keyBytes);
        Errno errno = Bpf.Element(command, map.Handle, keyBytes, valueBytes);
        if (errno is not (Errno.None or Errno.ENOENT))
            throw Failed(map, verb, errno);
        value = errno == Errno.None ? map.Layout.DecodeValue(valueBytes) : default;
        return errno == Errno.None;
    }

    private static Errno Write(OpenedMap map, in MapKey key, in MapValue value, ulong flags)
    {
        Span<byte> keyBytes = stackalloc byte[MapLayoutRules.MaxSize], valueBytes = stackalloc byte[MapLayoutRules.MaxSize];
        keyBytes = keyBytes[..map.Layout.KeySize];
        valueBytes = valueBytes[..map.Layout.ValueSize];
        map.Layout.Encode(key, keyBytes);
        map.Layout.Encode(value, valueBytes);
        return Bpf.Element(BpfCommand.MapUpdateElem, map.Handle, keyBytes, valueBytes, flags);
    }

    private static FlowMapException Failed(OpenedMap map, string verb, Errno errno) =>
        new($"{verb} an entry of {map.Info.Source} (map id {map.Info.Id})", errno, Advice(map, errno));

    private static string? Advice(OpenedMap map, Errno errno) => errno switch
    {
        Errno.EPERM when !map.Info.IsWritable => "the map was opened for reading only",
        Errno.EPERM => "the map is frozen, or bpf(2) is not allowed: this needs CAP_BPF",
        Errno.EINVAL or Errno.ENOTSUPP => "taking entries of a hash map needs Linux 5.14",
        Errno.ENOMEM => "the map had no free element; its least recently used ones are all being freed",
        _ => OpenAdvice.ForAny(errno),
    };
}
