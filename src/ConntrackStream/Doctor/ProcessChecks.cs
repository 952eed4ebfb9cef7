using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Doctor;

/// <summary>The kernel's age, and what this process may do.</summary>
internal static class ProcessChecks
{
    private const int CAP_NET_ADMIN = 12;
    private const int CAP_SYS_ADMIN = 21;
    private static readonly Version Floor = new(5, 15);

    internal static CheckResult Kernel(Version version) => version >= Floor
        ? CheckResult.Ok("kernel", $"Linux {version.ToString(3)}")
        : CheckResult.Warn("kernel", $"Linux {version.ToString(3)}", "older than 5.15, which is the oldest this program is meant for");

    /// <param name="status">/proc/self/status.</param>
    internal static IEnumerable<CheckResult> Capabilities(string status, NetworkNamespace networkNamespace)
    {
        ulong effective = Effective(status);
        yield return Has(effective, CAP_NET_ADMIN)
            ? CheckResult.Ok("CAP_NET_ADMIN", "there")
            : CheckResult.Fail(
                "CAP_NET_ADMIN",
                "missing: no conntrack events, no forced receive buffer, no sysctls",
                "run it as root, or AmbientCapabilities=CAP_NET_ADMIN");
        if (!networkNamespace.IsCurrent)
        {
            yield return Has(effective, CAP_SYS_ADMIN)
                ? CheckResult.Ok("CAP_SYS_ADMIN", $"there, {networkNamespace} can be entered")
                : CheckResult.Fail(
                    "CAP_SYS_ADMIN",
                    $"missing: {networkNamespace} cannot be entered",
                    "run it as root, or start it inside the namespace (ip netns exec)");
        }
    }

    internal static ulong Effective(string status)
    {
        string? line = status.Split('\n').FirstOrDefault(static line => line.StartsWith("CapEff:", StringComparison.Ordinal));
        return line is not null && ulong.TryParse(
            line["CapEff:".Length..].Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong bits) ? bits : 0;
    }

    private static bool Has(ulong set, int capability) => (set >> capability & 1) != 0;
}
