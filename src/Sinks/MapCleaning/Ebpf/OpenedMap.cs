using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>
/// A descriptor of a map of a known layout. Owned by whoever opened it; while it is open, the kernel gives the map's id to no other.
/// </summary>
internal sealed record OpenedMap(SafeFileHandle Handle, MapLayout Layout, FlowMapInfo Info) : IDisposable
{
    private const string IdPrefix = "id:";

    /// <summary>Whether a map is named by its id, which no other map ever gets, instead of a pin, which may come to name another.</summary>
    internal static bool IsId(string source) => source.StartsWith(IdPrefix, StringComparison.Ordinal);

    /// <param name="source">A pin's path, or <c>id:N</c>.</param>
    /// <param name="forDeleting">Otherwise the descriptor itself forbids changes (BPF_F_RDONLY).</param>
    internal static OpenedMap Open(string source, bool forDeleting)
    {
        uint flags = forDeleting ? 0 : Bpf.BPF_F_RDONLY;
        if (!IsId(source))
            return FromPin(source, flags, forDeleting);
        if (!uint.TryParse(source.AsSpan(IdPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out uint id))
            throw new FlowMapException(
                $"opening the map '{source}'",
                Errno.EINVAL,
                "a map is named by the path of its pin, or by id:N with the number bpftool shows");
        Errno errno = Bpf.OpenId(id, flags, out SafeFileHandle handle);
        return errno == Errno.None
            ? Identify(handle, $"id {id}", forDeleting)
            : throw new FlowMapException($"opening the map with id {id}", errno, OpenAdvice.ForId(errno));
    }

    /// <summary>Takes the descriptor over.</summary>
    internal static OpenedMap Identify(SafeFileHandle handle, string source, bool writable)
    {
        try
        {
            Errno errno = Bpf.Info(handle, out BpfMapInfo map);
            if (errno != Errno.None)
                throw new FlowMapException($"asking what kind of map {source} is", errno);
            if (!MapLayouts.Known.TryFind(map, out MapLayout layout))
                throw new FlowMapException(
                    $"{source} has a layout that is not known ({map})",
                    Errno.None,
                    $"nothing is read or deleted by a guess; known are {MapLayouts.Known}");
            return new OpenedMap(handle, layout, new FlowMapInfo(
                map.Id,
                source,
                map.Name,
                layout.Name,
                map.MaxEntries,
                layout.Family == FlowFamily.IPv6,
                layout.HasInterfaceIndex,
                layout.HasLastSeen,
                writable)
            {
                EvictsFrom = LruRoom.EvictsFrom(map),
            });
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => Handle.Dispose();

    private static OpenedMap FromPin(string path, uint flags, bool writable)
    {
        Errno errno = Bpf.Get(path, flags, out SafeFileHandle handle);
        if (errno != Errno.None)
            throw new FlowMapException($"opening the map pinned at {path}", errno, OpenAdvice.ForPin(path, errno));
        if (KindOf(handle) is string kind && kind != "bpf-map")
        {
            handle.Dispose();
            throw new FlowMapException($"{path} is not a map", Errno.None, $"a {kind} is pinned there");
        }

        return Identify(handle, path, writable);
    }

    /// <summary>
    /// <c>bpf-map</c>, <c>bpf-prog</c>, … as the kernel names the anonymous file: BPF_OBJ_GET opens any kind and BPF_OBJ_GET_INFO_BY_FD
    /// answers for any, each with a struct of its own. Null without /proc.
    /// </summary>
    private static string? KindOf(SafeFileHandle handle) =>
        new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget is { } link // anon_inode:bpf-map
            ? link[(link.IndexOf(':', StringComparison.Ordinal) + 1)..]
            : null;
}
