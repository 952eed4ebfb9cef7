using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>A sysctl under net.netfilter that the stream relies on.</summary>
/// <param name="Name">Such as nf_conntrack_events.</param>
/// <param name="Wanted">What this service sets.</param>
/// <param name="IsOff">Whether a value takes away what the stream relies on.</param>
/// <param name="IsOurs">This service may set it: the option says so.</param>
/// <param name="Option">Which.</param>
/// <param name="Reason">Of the gap while it is off.</param>
/// <param name="Effect">What is missing while it is off.</param>
internal sealed record KernelSetting(
    string Name, string Wanted, Func<string, bool> IsOff, bool IsOurs, string Option, FlowGapReason Reason, string Effect)
{
    /// <summary>Those that matter: what the options ask for, and what was on without them.</summary>
    /// <param name="read">A sysctl's value at the start; null where the kernel has none.</param>
    internal static IReadOnlyList<KernelSetting> Of(TapSettings settings, Func<string, string?> read)
    {
        List<KernelSetting> relied =
        [
            new(
                TapSysctls.Events, "2", static value => value == "0", settings.EnableEvents, "Tap:EnableEvents",
                FlowGapReason.EventsOff, "new flows emit no events"),
        ];
        if (settings.EnableAccounting || read(TapSysctls.Accounting) == "1")
        {
            relied.Add(Switch(
                TapSysctls.Accounting, settings.EnableAccounting, "Tap:EnableAccounting",
                FlowGapReason.AccountingOff, "new flows have no packets and bytes"));
        }

        if (settings.EnableTimestamps || read(TapSysctls.Timestamps) == "1")
        {
            relied.Add(Switch(
                TapSysctls.Timestamps, settings.EnableTimestamps, "Tap:EnableTimestamps",
                FlowGapReason.TimestampsOff, "new flows have no exact start"));
        }

        return relied;
    }

    private static KernelSetting Switch(string name, bool isOurs, string option, FlowGapReason reason, string effect) =>
        new(name, "1", static value => value != "1", isOurs, option, reason, effect);
}
