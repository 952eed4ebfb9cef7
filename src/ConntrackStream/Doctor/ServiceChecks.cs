using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Doctor;

/// <summary>What the running service has found changed under it.</summary>
internal static class ServiceChecks
{
    /// <summary>Nothing when no service answers, or one that follows another network namespace.</summary>
    internal static async Task<IEnumerable<CheckResult>> RunAsync(
        ServiceOptions options, NetworkNamespace networkNamespace, CancellationToken cancellation) =>
        options.Api.Enabled
        && await ApiClient.TryStatusAsync(options.Api.Socket, cancellation).ConfigureAwait(false) is { Kernel: { } kernel } status
        && (status.NetworkNamespace ?? "") == networkNamespace.Name
            ? Judge(kernel)
            : [];

    internal static IEnumerable<CheckResult> Judge(KernelFigures kernel)
    {
        if (kernel.NamespaceProblem is { } problem)
        {
            yield return CheckResult.Fail(
                "service", $"the running service follows no network namespace: {problem}", "make it again: it will be followed");
        }

        foreach (SettingFigures setting in kernel.Settings)
        {
            if (setting.Off)
            {
                yield return CheckResult.Fail(
                    "service", $"{setting.Name} is {setting.Value} under the running service, which does not set it",
                    $"sysctl -w net.netfilter.{setting.Name}=1");
            }
            else if (setting.TimesOff > 0)
            {
                string times = setting.TimesOff.ToString(CultureInfo.InvariantCulture);
                yield return CheckResult.Warn(
                    "service", $"another program has turned {setting.Name} off {times} times under the running service",
                    "find it: grep -r nf_conntrack /etc/sysctl.d, and what loads it");
            }
        }
    }
}
