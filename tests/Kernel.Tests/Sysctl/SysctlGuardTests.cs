using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Kernel.Tests.Sysctl;

public sealed class SysctlGuardTests : IDisposable
{
    private const string Accounting = "nf_conntrack_acct";
    private const string UdpTimeout = "nf_conntrack_udp_timeout"; // takes any number, unlike a switch

    private static readonly string[] Known = [Accounting, UdpTimeout, "nf_conntrack_no_such_thing"];

    private readonly KernelNamespace _space = new(track: false);
    private readonly StateDirectory _state = StateDirectory.Open(Path.Combine(Path.GetTempPath(), $"cs-sysctl-{Guid.NewGuid():N}"));
    private readonly NetworkNamespace _namespace;
    private readonly RecordingLogger _log = new();

    private readonly string? _original;

    public SysctlGuardTests()
    {
        _namespace = NetworkNamespace.OpenName(_space.Name);
        _original = Read(UdpTimeout);
    }

    public void Dispose()
    {
        _namespace.Dispose();
        _space.Dispose();
        Directory.Delete(_state.Path, recursive: true);
    }

    [Fact]
    public void Sets_in_the_namespace_only_and_restores()
    {
        string own = File.ReadAllText($"/proc/sys/net/netfilter/{UdpTimeout}");
        SysctlGuard guard = Start();
        guard.Set(UdpTimeout, "41");
        Assert.Equal("41", Read(UdpTimeout));
        Assert.Equal(own, File.ReadAllText($"/proc/sys/net/netfilter/{UdpTimeout}"));
        guard.RestoreAll();
        Assert.Equal(_original, Read(UdpTimeout));
        Assert.Empty(Directory.GetFiles(_state.Path));
    }

    [Fact]
    public void The_original_is_on_disk_for_root_alone_before_the_change()
    {
        Start().Set(Accounting, "1");
        string file = Assert.Single(Directory.GetFiles(_state.Path));
        Assert.Contains("\"Original\": \"0\"", File.ReadAllText(file), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public void After_a_kill_the_next_run_restores_the_first_original()
    {
        Start().Set(UdpTimeout, "41"); // killed here
        SysctlGuard second = Start();
        second.Set(UdpTimeout, "41"); // is so already; 41 must not become the original
        SysctlGuard third = Start(); // killed again
        third.Set(UdpTimeout, "43");
        third.RestoreAll();
        Assert.Equal(_original, Read(UdpTimeout));
    }

    [Fact]
    public void A_run_that_does_not_want_it_restores_what_a_killed_one_left()
    {
        Start().Set(Accounting, "1");
        Start().RestoreAllBut([UdpTimeout]);
        Assert.Equal("0", Read(Accounting));
    }

    [Fact]
    public void What_somebody_else_changed_while_it_ran_is_left_alone()
    {
        SysctlGuard guard = Start();
        guard.Set(UdpTimeout, "41");
        Write(UdpTimeout, "50");
        guard.RestoreAll();
        Assert.Equal("50", Read(UdpTimeout));
        Assert.Contains(4022, _log.Ids);
    }

    [Fact]
    public void What_somebody_else_changed_after_a_kill_is_the_new_original()
    {
        Start().Set(UdpTimeout, "41");
        Write(UdpTimeout, "50");
        SysctlGuard next = Start();
        Assert.Contains(4022, _log.Ids);
        next.Set(UdpTimeout, "41");
        next.RestoreAll();
        Assert.Equal("50", Read(UdpTimeout));
    }

    [Fact]
    public void After_a_reboot_the_old_record_means_nothing()
    {
        NamespaceIdentity before = NamespaceIdentity.Of(_namespace) with { BootId = "an earlier boot" };
        new SysctlGuard(_state, _namespace, before, _log, Known).Set(UdpTimeout, "41");
        SysctlGuard guard = Start(); // 41 may be what the administrator configured since
        guard.RestoreAll();
        Assert.Equal("41", Read(UdpTimeout));
    }

    [Fact]
    public void A_record_that_others_could_have_written_is_not_used()
    {
        Start().Set(UdpTimeout, "41");
        string file = Assert.Single(Directory.GetFiles(_state.Path));
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        Start().RestoreAll();
        Assert.Equal("41", Read(UdpTimeout));
        Assert.Contains(4025, _log.Ids);
    }

    [Theory]
    [InlineData("../../../..")]
    [InlineData("nf_conntrack_max")]
    public void A_record_of_what_is_no_sysctl_of_ours_is_not_used(string name)
    {
        string target = Path.Join(_state.Path, "target");
        File.WriteAllText(target, "1");
        name = name.StartsWith('.') ? name + target : name;
        NamespaceIdentity identity = NamespaceIdentity.Of(_namespace);
        SysctlRecord record = new(identity.BootId, identity.Cookie, [new SysctlChange(name, "2", "1")]);
        _state.Write($"sysctl-{identity.Cookie}.json", record.ToJson());
        Start().RestoreAll();
        Assert.Equal("1", File.ReadAllText(target));
        Assert.Contains(4025, _log.Ids);
    }

    [Fact]
    public void A_sysctl_that_this_kernel_lacks_is_reported_and_hurts_nothing()
    {
        SysctlGuard guard = Start();
        guard.Set("nf_conntrack_no_such_thing", "1");
        guard.Set(Accounting, "1");
        Assert.Contains(4023, _log.Ids);
        guard.RestoreAll();
        Assert.Equal("0", Read(Accounting));
    }

    [Fact]
    public void Another_namespace_has_another_identity()
    {
        using KernelNamespace other = new(track: false);
        using NetworkNamespace opened = NetworkNamespace.OpenName(other.Name);
        Assert.NotEqual(NamespaceIdentity.Of(_namespace), NamespaceIdentity.Of(opened));
        Assert.Equal(NamespaceIdentity.Of(_namespace), NamespaceIdentity.Of(_namespace));
    }

    private SysctlGuard Start() => new(_state, _namespace, NamespaceIdentity.Of(_namespace), _log, Known);

    private string? Read(string name) => SysctlGuard.TryRead(_namespace, name);

    private void Write(string name, string value) => _namespace.Run(() => File.WriteAllText($"/proc/sys/net/netfilter/{name}", value));
}
