using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>The sysctls that make the kernel tell what the flow log wants, by configuration.</summary>
internal static class TapSysctls
{
    internal const string Accounting = "nf_conntrack_acct";
    internal const string Timestamps = "nf_conntrack_timestamp";
    internal const string Events = "nf_conntrack_events";

    /// <summary>All that this service ever sets.</summary>
    internal static readonly string[] All = [Accounting, Timestamps, Events];

    /// <summary>
    /// Names and values to set. Events are 2 (when somebody listens, the kernel's default) unless they are on in another way.
    /// </summary>
    internal static IReadOnlyList<(string Name, string Value)> Wanted(TapSettings settings, NetworkNamespace networkNamespace)
    {
        List<(string, string)> wanted = [];
        if (settings.EnableEvents && SysctlGuard.TryRead(networkNamespace, Events) is "0" or "2")
            wanted.Add((Events, "2"));
        if (settings.EnableAccounting)
            wanted.Add((Accounting, "1"));
        if (settings.EnableTimestamps)
            wanted.Add((Timestamps, "1"));
        return wanted;
    }

    internal static void Apply(SysctlGuard guard, TapSettings settings, NetworkNamespace networkNamespace)
    {
        IReadOnlyList<(string Name, string Value)> wanted = Wanted(settings, networkNamespace);
        foreach ((string name, string value) in wanted)
            guard.Set(name, value);
        guard.RestoreAllBut(wanted.Select(static pair => pair.Name));
    }
}
