using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>A map of one's own, as the agent would make it: for the demonstration and for tests.</summary>
public sealed partial class EbpfFlowMap
{
    /// <summary>BPF_MAP_CREATE; gone when it is disposed, unless pinned or opened elsewhere.</summary>
    /// <param name="layoutName">A name of Layouts/.</param>
    /// <param name="capacity">max_entries.</param>
    /// <param name="name">At most 15 letters, digits, <c>_</c> and <c>.</c>.</param>
    /// <exception cref="FlowMapException">The layout is not known, or the kernel refuses.</exception>
    public static unsafe EbpfFlowMap Create(string layoutName, uint capacity, string name)
    {
        MapLayout layout = MapLayouts.Known.Named(layoutName);
        BpfMapCreate attributes = new()
        {
            MapType = layout.MapType,
            KeySize = (uint)layout.KeySize,
            ValueSize = (uint)layout.ValueSize,
            MaxEntries = capacity,
        };
        Encoding.UTF8.GetBytes(name, new Span<byte>(attributes.Name, BpfMapInfo.NameSize - 1));
        Errno errno = Bpf.Create(ref attributes, out SafeFileHandle handle);
        if (errno != Errno.None)
            throw new FlowMapException(
                $"creating the map '{name}' with {capacity} entries of layout {layoutName}", errno, CreationAdvice(errno));
        OpenedMap map = OpenedMap.Identify(handle, $"the new map '{name}'", writable: true);
        return new EbpfFlowMap(path: null, forDeleting: true, map with { Info = map.Info with { Source = $"id {map.Info.Id}" } });
    }

    /// <summary>For a datapath that shares the map with its cleaner.</summary>
    internal SafeFileHandle Handle => _map.Handle;

    /// <summary>BPF_OBJ_PIN: gives the map a path on a bpf file system, which keeps it until it is unlinked.</summary>
    /// <exception cref="FlowMapException">The path is taken, or on another file system.</exception>
    public void Pin(string path)
    {
        Errno errno = Bpf.Pin(_map.Handle, path);
        if (errno != Errno.None)
            throw new FlowMapException($"pinning map id {Info.Id} at {path}", errno, PinningAdvice(errno));
    }

    /// <summary>BPF_MAP_UPDATE_ELEM with BPF_ANY, as the agent's hooks write entries; may evict the least recently used.</summary>
    /// <exception cref="FlowMapException">The kernel refuses.</exception>
    public void Insert(in MapKey key, in MapValue value)
    {
        Errno errno = Write(_map, key, value, Bpf.BPF_ANY);
        if (errno != Errno.None)
            throw Failed(_map, "writing", errno);
    }

    private static string? CreationAdvice(Errno errno) => errno switch
    {
        Errno.EPERM => "this needs CAP_BPF, and in a container a seccomp profile that lets bpf(2) pass",
        Errno.EINVAL => "the name or the number of entries is not allowed",
        _ => OpenAdvice.ForAny(errno),
    };

    private static string? PinningAdvice(Errno errno) => errno switch
    {
        Errno.EPERM => "pins live on a bpf file system (mount -t bpf), and their names have no dots",
        Errno.EEXIST => "something is pinned there already",
        _ => OpenAdvice.ForAny(errno),
    };
}
