using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Network;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Doctor;

/// <summary>Connection tracking in the namespace that would be followed.</summary>
internal static class KernelChecks
{
    internal static IEnumerable<CheckResult> Run(ServiceOptions options, NetworkNamespace networkNamespace)
    {
        TableSample sample;
        try
        {
            sample = new TableSampler(() => networkNamespace).Sample();
        }
        catch (NetlinkException e)
        {
            return [CheckResult.Fail("ctnetlink", e.Message, FailureReport.Judge(e).Advice ?? "load nf_conntrack_netlink")];
        }

        return
        [
            CheckResult.Ok("ctnetlink", "the kernel answers"),
            Tracking(TrackingProbe.Run(networkNamespace), options.Tap.Track),
            Events(SysctlGuard.TryRead(networkNamespace, TapSysctls.Events), options.Tap.EnableEvents),
            Switch(
                TapSysctls.Accounting,
                "packets and bytes",
                "Tap:EnableAccounting",
                SysctlGuard.TryRead(networkNamespace, TapSysctls.Accounting),
                options.Tap.EnableAccounting),
            Switch(
                TapSysctls.Timestamps,
                "exact start and stop",
                "Tap:EnableTimestamps",
                SysctlGuard.TryRead(networkNamespace, TapSysctls.Timestamps),
                options.Tap.EnableTimestamps),
            Fill(sample, options.TableHealth),
        ];
    }

    internal static CheckResult Tracking(TrackingReport report, bool track) => report.State switch
    {
        TrackingState.Active => CheckResult.Ok("tracking", report.Reason),
        _ when track => CheckResult.Ok("tracking", "will be activated while the service runs (Tap:Track)"),
        TrackingState.Inactive => CheckResult.Fail("tracking", report.Reason, "set Tap:Track=true (--track), or load such a rule"),
        _ when report.IsFull => CheckResult.Fail(
            "tracking", report.Reason, "sysctl -w net.netfilter.nf_conntrack_max=…, or find out who opens so many"),
        _ => CheckResult.Warn("tracking", report.Reason, "look whether flows show up: conntrack-stream watch"),
    };

    internal static CheckResult Events(string? value, bool enable) => (value, enable) switch
    {
        ("1" or "2", _) => CheckResult.Ok(TapSysctls.Events, value),
        ("0", true) => CheckResult.Ok(TapSysctls.Events, "0, will be 2 while the service runs (Tap:EnableEvents)"),
        ("0", false) => CheckResult.Fail(
            TapSysctls.Events, "0: the kernel tells no events", "sysctl -w net.netfilter.nf_conntrack_events=2, or Tap:EnableEvents=true"),
        _ => CheckResult.Warn(TapSysctls.Events, "cannot be read", "a kernel without CONFIG_NF_CONNTRACK_EVENTS tells no events"),
    };

    internal static CheckResult Switch(string name, string gives, string option, string? value, bool enable) => (value, enable) switch
    {
        ("1", _) => CheckResult.Ok(name, "1"),
        ("0", true) => CheckResult.Ok(name, $"0, will be 1 while the service runs ({option}); flows that exist already go without"),
        ("0", false) => CheckResult.Warn(name, $"0: flows have no {gives}", $"sysctl -w net.netfilter.{name}=1, or {option}=true"),
        _ => CheckResult.Warn(name, $"cannot be read: flows may have no {gives}", "a kernel with this feature built in"),
    };

    internal static CheckResult Fill(TableSample sample, TableHealthSettings limits)
    {
        long percent = sample.Max > 0 ? sample.Count * 100 / sample.Max : 0;
        string finding = $"{sample.Count} of {sample.Max} entries ({percent} %)";
        return percent >= limits.WarningPercent
            ? CheckResult.Warn("table", finding, "see nf_conntrack_max below; conntrack-stream summary says what fills it")
            : CheckResult.Ok("table", finding);
    }
}
