using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Doctor;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class SettingWatchTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private string? _value = "2";
    private string? _obstacle;

    [Fact]
    public void What_another_program_turned_off_is_put_back_and_bounded_by_the_last_good_look()
    {
        SettingWatch watch = Events(isOurs: true);
        long start = watch.RightAt;
        Assert.Equal(SettingTurn.None, Look(watch));
        long good = watch.RightAt;
        Assert.True(good > start);
        _value = "0";
        Assert.Equal(SettingTurn.OffAndOn, Look(watch));
        Assert.Equal((good, "2", false, 1L), (watch.RightAt, _value, watch.IsOff, watch.TimesOff));
        watch.Told();
        Assert.True(watch.RightAt > good);
        Assert.Equal(
            "Another program set net.netfilter.nf_conntrack_events to 0: new flows emit no events. Set to 2 again, "
            + "1 times since the last such warning; a gap record bounds what is missing",
            Assert.Single(_log.Entries).Message);
    }

    [Fact]
    public void Somebody_who_does_it_each_second_is_warned_of_once_a_minute_with_their_number()
    {
        SettingWatch watch = Events(isOurs: true);
        for (int i = 0; i < 62; i++)
        {
            _value = "0";
            Assert.Equal(SettingTurn.OffAndOn, Look(watch));
        }

        Assert.Equal(62, watch.TimesOff);
        Assert.Equal(
            [1, 60],
            _log.Entries.Select(static entry =>
                int.Parse(entry.Message.Split("again, ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void What_is_not_ours_stays_off_until_somebody_else_turns_it_on()
    {
        SettingWatch watch = Events(isOurs: false);
        _value = "0";
        Assert.Equal(SettingTurn.Off, Look(watch));
        long good = watch.RightAt;
        Assert.Equal(SettingTurn.None, Look(watch));
        Assert.Equal((good, "0", true), (watch.RightAt, _value, watch.IsOff));
        _value = "1";
        Assert.Equal(SettingTurn.On, Look(watch));
        Assert.False(watch.IsOff);
        Assert.Equal([4055, 4056], _log.Entries.Select(static entry => entry.Id));
    }

    [Fact]
    public void What_cannot_be_set_is_tried_again_and_the_gap_begins_once()
    {
        SettingWatch watch = Events(isOurs: true);
        (_value, _obstacle) = ("0", "Read-only file system");
        Assert.Equal(SettingTurn.Off, Look(watch));
        Assert.Equal(SettingTurn.None, Look(watch));
        _obstacle = null;
        Assert.Equal(SettingTurn.On, Look(watch));
        Assert.Equal("2", _value);
    }

    [Fact]
    public void A_kernel_without_the_setting_is_left_alone()
    {
        SettingWatch watch = Events(isOurs: true);
        _value = null;
        Assert.Equal(SettingTurn.None, Look(watch));
        Assert.False(watch.IsOff);
    }

    [Theory]
    [InlineData(true, "0", "nf_conntrack_events nf_conntrack_acct nf_conntrack_timestamp")]
    [InlineData(false, "0", "nf_conntrack_events")]
    [InlineData(false, "1", "nf_conntrack_events nf_conntrack_acct nf_conntrack_timestamp")] // on without us: relied on, but not ours
    public void Relies_on_what_the_options_ask_for_and_on_what_was_on(bool enable, string before, string names)
    {
        TapSettings settings = new() { EnableAccounting = enable, EnableTimestamps = enable, EnableEvents = enable };
        IReadOnlyList<KernelSetting> relied = KernelSetting.Of(settings, _ => before);
        Assert.Equal(names, string.Join(' ', relied.Select(static setting => setting.Name)));
        Assert.All(relied, setting => Assert.Equal(enable, setting.IsOurs));
    }

    [Fact]
    public void Doctor_says_what_the_running_service_has_seen()
    {
        KernelFigures fine = new(null, 0, 1 << 20, [new SettingFigures("nf_conntrack_events", "2", Off: false, TimesOff: 0)]);
        Assert.Empty(ServiceChecks.Judge(fine));
        Assert.Equal(
            CheckLevel.Warn, Assert.Single(ServiceChecks.Judge(fine with { Settings = [fine.Settings[0] with { TimesOff = 3 }] })).Level);
        Assert.Equal(
            CheckLevel.Fail,
            Assert.Single(ServiceChecks.Judge(fine with { Settings = [fine.Settings[0] with { Off = true, Value = "0" }] })).Level);
        Assert.Equal(
            CheckLevel.Fail, Assert.Single(ServiceChecks.Judge(fine with { NamespaceProblem = "/run/netns/x does not exist" })).Level);
    }

    private SettingTurn Look(SettingWatch watch)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return watch.Look();
    }

    private SettingWatch Events(bool isOurs) => new(
        KernelSetting.Of(new TapSettings { EnableEvents = isOurs }, static _ => null)[0],
        () => _value,
        () =>
        {
            _value = _obstacle is null ? "2" : _value;
            return _obstacle;
        },
        _time.UnixNanoseconds(), _time, _log);
}
