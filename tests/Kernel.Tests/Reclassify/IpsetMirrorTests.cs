using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;
using Microsoft.Extensions.Logging.Abstractions;
using static ConntrackStream.Kernel.Tests.Reclassify.IpsetLookUpTests;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>How the mirrors of ipsets follow the kernel.</summary>
public sealed class IpsetMirrorTests : IDisposable
{
    private static readonly TimeSpan _soon = TimeSpan.FromMilliseconds(20);
    private readonly SetRig _rig = new();
    private readonly RecordingHost _host = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task A_set_is_waited_for_and_missed_when_it_goes()
    {
        await using SetClassifier classifier = await _rig.StartAsync(_host, _soon, "ipset:app=wan");
        Assert.Equal("0 sets, 0 members; waiting for ipset app", classifier.Status.Text);
        Assert.False(classifier.Status.IsWorking);
        Assert.Equal(Verdict.None, classifier.Classify(FlowTo("10.0.0.1", 80)));

        _rig.Ipset("create app hash:ip timeout 60\nadd app 10.0.0.1\n");
        Eventually.True(() => classifier.Classify(FlowTo("10.0.0.1", 80)).Path == "wan");
        Verdict verdict = classifier.Confirm(FlowTo("10.0.0.1", 80));
        Assert.Equal("ipset app", verdict.Reason);
        Assert.Equal("ipset app", verdict.Origin);
        Assert.InRange(verdict.ValidFor!.Value.TotalSeconds, 1, 60);
        Eventually.True(() => _host.Covers("10.0.0.1"));
        Assert.False(_host.Covers("10.0.0.2"));
        Assert.Equal("1 set, 1 member", classifier.Status.Text);

        _rig.Ipset("destroy app\n");
        Eventually.True(() => classifier.Sets[0].State == SetState.Waiting);
        Assert.Equal(Verdict.None, classifier.Classify(FlowTo("10.0.0.1", 80)));
    }

    [Fact]
    public async Task Changes_swaps_and_other_types_are_noticed()
    {
        _rig.Ipset(
            "create app hash:ip\nadd app 10.0.0.1\nadd app 10.0.0.2\ncreate other hash:ip\nadd other 10.0.0.3\nadd other 10.0.0.2\n");
        await using SetClassifier classifier = await _rig.StartAsync(_host, _soon, "ipset:app=wan");
        Assert.Equal("wan", classifier.Classify(FlowTo("10.0.0.1", 80)).Path);
        _host.Clear();

        _rig.Ipset("swap app other\n");
        Eventually.True(
            () => classifier.Classify(FlowTo("10.0.0.3", 80)).Path == "wan" && classifier.Classify(FlowTo("10.0.0.1", 80)).Path is null);
        Eventually.True(() => _host.Covers("10.0.0.3"));
        Assert.False(_host.Covers("10.0.0.2")); // was there before and after

        _rig.Ipset("destroy app\ncreate app hash:net,port\nadd app 10.0.0.0/24,tcp:443\n");
        Eventually.True(() => classifier.Classify(FlowTo("10.0.0.77", 443)).Path == "wan");
        Assert.Equal("hash:net,port", classifier.Sets[0].Type);
    }

    [Fact]
    public async Task A_set_that_comes_first_in_the_kernel_is_asked_though_its_member_has_not_been_read()
    {
        _rig.Ipset("create first hash:ip\ncreate second hash:ip\nadd second 10.0.0.1\n");
        await using SetClassifier classifier = await _rig.StartAsync(_host, TimeSpan.FromHours(1), "ipset:first=wan", "ipset:second=lte");
        Assert.Equal("lte", classifier.Confirm(FlowTo("10.0.0.1", 80)).Path);
        _rig.Ipset("add first 10.0.0.1\n");
        Assert.Equal("lte", classifier.Classify(FlowTo("10.0.0.1", 80)).Path);
        Assert.Equal("wan", classifier.Confirm(FlowTo("10.0.0.1", 80)).Path);
        Assert.Equal(0, classifier.ConfirmFailures);
    }

    /// <summary>Between two readings the lists name each other, which the kernel never allows.</summary>
    [Fact]
    public void A_list_and_its_member_that_change_places_are_looked_up_all_the_same()
    {
        Mirror mirror = new(TimeProvider.System, NullLogger.Instance);
        SourceList sources = new([], mirror);
        using SetLink link = new(_rig.Namespace);
        SetSource a = sources.Of(SetName.Ipset("a")), b = sources.Of(SetName.Ipset("b"));
        _rig.Ipset("create b hash:ip\nadd b 10.0.0.1\ncreate a list:set\nadd a b\n");
        a.Read(link);
        b.Read(link);
        Assert.True(IsIn(a));
        _rig.Ipset("destroy a\ndestroy b\ncreate a hash:ip\nadd a 10.0.0.1\ncreate b list:set\nadd b a\n");
        b.Read(link);
        Assert.False(IsIn(a));
        Assert.False(IsIn(b));
        a.Read(link);
        Assert.True(IsIn(a));
        Assert.True(IsIn(b));

        bool IsIn(SetSource source)
        {
            TimeSpan? left = null;
            bool found = source.Content!.Find(FlowTo("10.0.0.1", 80), SetDirections.Default, mirror.Clock.Now, out _);
            Assert.Equal(found, source.Test(link, FlowTo("10.0.0.1", 80), SetDirections.Default, ref left) == Errno.None);
            return found;
        }
    }

    [Fact]
    public async Task Expired_members_do_not_match()
    {
        _rig.Ipset("create app hash:ip timeout 60\nadd app 10.0.0.1\nadd app 10.0.0.2 timeout 0\n");
        FakeTimeProvider time = new();
        // never read again
        await using SetClassifier classifier = await _rig.StartAsync(_host, TimeSpan.FromHours(1), time, "ipset:app=wan");

        Assert.Equal("wan", classifier.Classify(FlowTo("10.0.0.1", 80)).Path);
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(classifier.Classify(FlowTo("10.0.0.1", 80)).Path);
        Assert.Null(classifier.Classify(FlowTo("10.0.0.2", 80)).ValidFor);
        Assert.Equal("wan", classifier.Classify(FlowTo("10.0.0.2", 80)).Path);
    }

    [Fact]
    public async Task A_confirmation_sees_what_the_mirror_does_not_yet()
    {
        _rig.Ipset("create first hash:ip\nadd first 10.0.0.1\ncreate second hash:ip\nadd second 10.0.0.1\n");
        await using SetClassifier classifier = await _rig.StartAsync(_host, TimeSpan.FromHours(1), "ipset:first=wan", "ipset:second=lte");
        FlowQuestion flow = FlowTo("10.0.0.1", 80);
        Assert.Equal("wan", classifier.Confirm(flow).Path);

        _rig.Ipset("del first 10.0.0.1\n");
        Assert.Equal("wan", classifier.Classify(flow).Path);
        Assert.Equal("lte", classifier.Confirm(flow).Path);

        _rig.Ipset("destroy second\n");
        Assert.Equal(Verdict.None, classifier.Confirm(flow));
        Assert.Equal(0, classifier.ConfirmFailures);
    }

    [Fact]
    public async Task What_cannot_match_says_why()
    {
        _rig.Ipset("create nets hash:net,iface\ncreate macs bitmap:ip,mac range 10.0.0.0/24\ncreate ports hash:ip,port\n");
        await using SetClassifier classifier =
            await _rig.StartAsync(_host, _soon, "ipset:nets=wan", "ipset:macs=wan", "ipset:ports@dst=wan");

        Assert.All(classifier.Sets, set => Assert.Equal(SetState.CannotMatch, set.State));
        Assert.Equal(
            ["needs interfaces, which conntrack does not tell", "needs MAC addresses, which conntrack does not tell",
                "the rule gives 1 of the 2 directions that hash:ip,port needs"],
            classifier.Sets.Select(set => set.Problem), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_member_that_stays_is_never_missed_while_others_come_and_go()
    {
        _rig.Ipset(
            "create app hash:ip maxelem 200000\n"
            + string.Concat(Enumerable.Range(0, 20000).Select(i => $"add app 10.1.{i >> 8}.{i & 255}\n")));
        await using SetClassifier classifier = await _rig.StartAsync(_host, TimeSpan.FromMilliseconds(1), "ipset:app=wan");
        string churn = string.Concat(Enumerable.Range(0, 20000).Select(i => $"add app 10.2.{i >> 8}.{i & 255}\n"))
            + string.Concat(Enumerable.Range(0, 20000).Select(i => $"del app 10.2.{i >> 8}.{i & 255}\n"));
        Task changing = Task.Factory.StartNew(() => _rig.Ipset(churn + churn), TaskCreationOptions.LongRunning);

        long asked = 0;
        while (!changing.IsCompleted)
        {
            for (int i = 0; i < 20000; i += 7, asked++)
                Assert.Equal("wan", classifier.Classify(FlowTo($"10.1.{i >> 8}.{i & 255}", 80)).Path);
        }

        await changing;
        Eventually.True(() => classifier.Sets[0].Members == 20000);
        Assert.True(asked > 0);
    }
}
