using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>A map that the kernel has loaded, pinned or not.</summary>
/// <param name="Name">As the kernel keeps it: 15 characters.</param>
/// <param name="Layout">Name of its layout.</param>
internal sealed record LoadedMap(uint Id, string Name, string Layout);

/// <summary>The machine's maps, by their ids (BPF_MAP_GET_NEXT_ID).</summary>
internal static class LoadedMaps
{
    /// <summary>Those of a layout that is known; null where they may not be listed (EPERM: it needs CAP_SYS_ADMIN).</summary>
    internal static IReadOnlyList<LoadedMap>? OfKnownLayouts()
    {
        List<LoadedMap> found = [];
        uint id = 0;
        Errno errno;
        while ((errno = Bpf.NextId(ref id)) == Errno.None)
        {
            Errno opened = Bpf.OpenId(id, Bpf.BPF_F_RDONLY, out SafeFileHandle map);
            if (opened == Errno.EPERM)
                return null;
            if (opened != Errno.None)
                continue; // gone meanwhile
            using (map)
            {
                if (Bpf.Info(map, out BpfMapInfo info) == Errno.None && MapLayouts.Known.TryFind(info, out MapLayout layout))
                    found.Add(new LoadedMap(info.Id, info.Name, layout.Name));
            }
        }

        return errno == Errno.ENOENT ? found : null;
    }
}
