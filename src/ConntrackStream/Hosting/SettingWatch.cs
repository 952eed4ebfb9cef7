using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Compares one setting with what it must be, at each <see cref="Look"/>, and puts it back where that is this service's to do. What is off
/// for less than the time between two looks may go unseen.
/// </summary>
/// <param name="putBack">Sets it; returns why not, or null.</param>
/// <param name="rightAt">When it was last known to be right, ns since the Unix epoch.</param>
internal sealed class SettingWatch(
    KernelSetting setting, Func<string?> read, Func<string?> putBack, long rightAt, TimeProvider time, ILogger logger)
{
    private readonly RepeatLimit _warnings = new(TimeSpan.FromMinutes(1), time);
    private long _untold;
    private bool _saidStays;

    internal KernelSetting Setting => setting;

    /// <summary>As last read; null where the kernel has no such setting.</summary>
    internal string? Value { get; private set; }

    internal bool IsOff { get; private set; }

    /// <summary>When it was last seen right, ns since the Unix epoch.</summary>
    internal long RightAt { get; private set; } = rightAt;

    /// <summary>Times it was found off.</summary>
    internal long TimesOff { get; private set; }

    /// <returns>What has happened since the last look.</returns>
    internal SettingTurn Look()
    {
        long before = time.UnixNanoseconds();
        Value = read();
        if (Value is null)
            return SettingTurn.None;
        if (!setting.IsOff(Value))
            return OnRight(before);
        string found = Value;
        bool isNew = !IsOff;
        if (isNew)
        {
            TimesOff++;
            _untold++;
            IsOff = true;
        }

        string? obstacle = setting.IsOurs ? putBack() : $"{setting.Option} is false";
        if (obstacle is not null)
        {
            Stay(found, obstacle);
            return isNew ? SettingTurn.Off : SettingTurn.None;
        }

        Value = setting.Wanted;
        IsOff = false;
        _saidStays = false;
        if (_warnings.IsDue())
        {
            ServiceLog.SettingPutBack(logger, setting.Name, found, setting.Effect, setting.Wanted, _untold);
            _untold = 0;
        }

        return isNew ? SettingTurn.OffAndOn : SettingTurn.On;
    }

    /// <summary>To be called when a turn has been told: a later one begins after this.</summary>
    internal void Told() => RightAt = IsOff ? RightAt : Math.Max(RightAt, time.UnixNanoseconds());

    private SettingTurn OnRight(long before)
    {
        bool wasOff = IsOff;
        (IsOff, _saidStays, RightAt) = (false, false, before);
        if (!wasOff)
            return SettingTurn.None;
        ServiceLog.SettingRight(logger, setting.Name, Value!);
        return SettingTurn.On;
    }

    private void Stay(string found, string obstacle)
    {
        if (_saidStays || !_warnings.IsDue())
            return;
        _saidStays = true;
        _untold = 0;
        ServiceLog.SettingStaysOff(logger, setting.Name, found, setting.Effect, obstacle);
    }
}

/// <summary>What a look at a setting has found.</summary>
internal enum SettingTurn
{
    /// <summary>All as before.</summary>
    None,

    /// <summary>It is off since the last look.</summary>
    Off,

    /// <summary>It was off, and is on again.</summary>
    On,

    /// <summary>It had been turned off since the last look, and is put back.</summary>
    OffAndOn,
}
