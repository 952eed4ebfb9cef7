using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Hosting;

/// <summary>The settings that the stream relies on in one network namespace, and what of them goes to the pipeline.</summary>
internal sealed class SettingsWatch : IDisposable
{
    private readonly SettingReader _reader;

    internal SettingsWatch(TapSettings settings, SysctlGuard guard, NetworkNamespace networkNamespace, TimeProvider time, ILogger logger)
    {
        long now = time.UnixNanoseconds();
        _reader = new SettingReader(networkNamespace, TapSysctls.All);
        Watches = [.. KernelSetting.Of(settings, _reader.Read).Select(setting => new SettingWatch(
            setting, () => _reader.Read(setting.Name), () => guard.PutBack(setting.Name, setting.Wanted), now, time, logger))];
    }

    internal IReadOnlyList<SettingWatch> Watches { get; }

    /// <summary>One look at each.</summary>
    internal async Task LookAsync(FlowPipeline pipeline)
    {
        foreach (SettingWatch watch in Watches)
        {
            SettingTurn turn = watch.Look();
            if (turn is SettingTurn.Off or SettingTurn.OffAndOn)
                await pipeline.SettingOffAsync(watch.Setting.Reason, watch.RightAt).ConfigureAwait(false);
            if (turn is SettingTurn.On or SettingTurn.OffAndOn)
                await pipeline.SettingOnAsync(watch.Setting.Reason).ConfigureAwait(false);
            if (turn != SettingTurn.None)
                watch.Told();
        }
    }

    /// <summary>Another network namespace is followed: what was off in this one is over, and within that gap.</summary>
    internal async Task LeaveAsync(FlowPipeline pipeline)
    {
        foreach (SettingWatch watch in Watches.Where(static watch => watch.IsOff))
            await pipeline.SettingOnAsync(watch.Setting.Reason).ConfigureAwait(false);
    }

    public void Dispose() => _reader.Dispose();
}
