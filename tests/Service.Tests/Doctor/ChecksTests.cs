using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Doctor;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Network;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Setup;

namespace ConntrackStream.Service.Tests.Doctor;

public sealed class ChecksTests
{
    [Theory]
    [InlineData("1", false, "ok    nf_conntrack_acct: 1")]
    [InlineData(
        "0", true,
        "ok    nf_conntrack_acct: 0, will be 1 while the service runs (Tap:EnableAccounting); flows that exist already go without")]
    [InlineData(
        "0", false,
        "warn  nf_conntrack_acct: 0: flows have no packets and bytes → sysctl -w net.netfilter.nf_conntrack_acct=1, "
        + "or Tap:EnableAccounting=true")]
    public void Accounting(string value, bool enable, string line) =>
        Assert.Equal(line, KernelChecks.Switch("nf_conntrack_acct", "packets and bytes", "Tap:EnableAccounting", value, enable).ToString());

    [Fact]
    public void Events_off_for_good_is_a_failure()
    {
        Assert.Equal(CheckLevel.Fail, KernelChecks.Events("0", enable: false).Level);
        Assert.Equal(CheckLevel.Ok, KernelChecks.Events("0", enable: true).Level);
        Assert.Equal(CheckLevel.Ok, KernelChecks.Events("2", enable: false).Level);
        Assert.Equal(CheckLevel.Warn, KernelChecks.Events(value: null, enable: true).Level);
    }

    [Fact]
    public void Tracking_is_needed_unless_the_service_activates_it()
    {
        TrackingReport inactive = new(TrackingState.Inactive, TrackingState.Inactive, TrackingState.Inactive, "nothing uses conntrack");
        Assert.Equal(CheckLevel.Fail, KernelChecks.Tracking(inactive, track: false).Level);
        Assert.Equal(CheckLevel.Ok, KernelChecks.Tracking(inactive, track: true).Level);
        Assert.Equal(CheckLevel.Warn, KernelChecks.Tracking(inactive with { State = TrackingState.Unknown }, track: false).Level);
        Assert.Equal(
            CheckLevel.Fail, KernelChecks.Tracking(inactive with { State = TrackingState.Unknown, IsFull = true }, track: false).Level);
    }

    [Fact]
    public void The_tables_fill_is_told()
    {
        Assert.Equal(
            "ok    table: 79 of 100 entries (79 %)",
            KernelChecks.Fill(new TableSample(79, 100, 0, 0, 0), new TableHealthSettings()).ToString());
        Assert.Equal(CheckLevel.Warn, KernelChecks.Fill(new TableSample(80, 100, 0, 0, 0), new TableHealthSettings()).Level);
    }

    [Fact]
    public void Capabilities_are_read_from_the_process()
    {
        const string NetAdminOnly = "Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t0000000000001000\nCapBnd:\t000001ffffffffff\n";
        Assert.All(
            ProcessChecks.Capabilities(NetAdminOnly, NetworkNamespace.Current), static result => Assert.Equal(CheckLevel.Ok, result.Level));
        CheckResult missing = Assert.Single(ProcessChecks.Capabilities("CapEff:\t0000000000000000\n", NetworkNamespace.Current));
        Assert.Equal((CheckLevel.Fail, "CAP_NET_ADMIN"), (missing.Level, missing.Subject));
    }

    [Fact]
    public void A_set_whose_rule_gives_too_few_directions_is_a_failure_with_its_type_and_reason()
    {
        SetStatus set = new(
            "ipset:two@dst=lte", "hash:ip,port", 0, SetState.CannotMatch, null,
            "the rule gives 1 of the 2 directions that hash:ip,port needs");
        Assert.StartsWith(
            "fail  set: ipset:two@dst=lte: hash:ip,port: the rule gives 1 of",
            ReclassifyChecks.Set(set).ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Whether_tcp_clients_can_be_reset_is_said_with_the_reason_why_not()
    {
        Assert.Equal(
            "ok    resets: TCP clients can be reset (nftables table inet conntrack_stream_reset)",
            ReclassifyChecks.Resets(null).ToString());
        CheckResult not = ReclassifyChecks.Resets("making the table: EPERM");
        Assert.Equal((CheckLevel.Warn, "resets"), (not.Level, not.Subject));
        Assert.Contains(
            "left where they are: TCP clients cannot be reset: making the table: EPERM", not.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_an_imported_configuration_leaves_out_is_told()
    {
        Assert.Equal((CheckLevel.Warn, "import"), (ReclassifyChecks.Note("/etc/config/pbr: x").Level, ReclassifyChecks.Note("").Subject));
        Assert.Equal(CheckLevel.Fail, ReclassifyChecks.NoPaths.Level);
    }

    [Fact]
    public void A_directory_is_tried_with_a_file()
    {
        string directory = Directory.CreateTempSubdirectory("cs-doctor-").FullName;
        Assert.Equal(CheckLevel.Ok, DirectoryCheck.Writable("x", directory, "fix", mayBeMade: false).Level);
        Assert.Empty(Directory.GetFiles(directory));
        Assert.Equal(CheckLevel.Ok, DirectoryCheck.Writable("x", Path.Combine(directory, "a/b"), "fix", mayBeMade: true).Level);
        Assert.Equal(CheckLevel.Fail, DirectoryCheck.Writable("x", Path.Combine(directory, "a"), "fix", mayBeMade: false).Level);
        Assert.Equal(CheckLevel.Fail, DirectoryCheck.Writable("x", "/proc/sys", "fix", mayBeMade: true).Level);
        Directory.Delete(directory);
    }

    /// <summary>Root looks at what belongs to the service of the package.</summary>
    [Fact]
    public void The_state_of_the_packaged_service_is_right_and_of_any_other_user_is_not()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        string directory = Directory.CreateTempSubdirectory("cs-doctor-").FullName;
        string users = Path.Combine(directory, "passwd");
        File.WriteAllLines(users, ["root:x:0:0::/:/bin/sh", "conntrack-stream:x:4711:4711::/:/usr/sbin/nologin"]);
        ServiceOptions options = new() { State = new StateSettings { Directory = directory }, Api = new ApiSettings { Enabled = false } };
        CheckLevel LevelFor(string owner)
        {
            ToolRun.Output("chown", [owner, directory]);
            return Assert.Single(FileChecks.Run(options, users)).Level;
        }

        Assert.Equal(CheckLevel.Ok, LevelFor("0"));
        Assert.Equal(CheckLevel.Ok, LevelFor("4711"));
        Assert.Equal(CheckLevel.Fail, LevelFor("4712"));
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>Each file is read as the service reads it, and the one that is wrong is named.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("cert.pem", "has no certificate")]
    [InlineData("key.pem", "cannot be used")]
    [InlineData("token", "must have a token of at least 16 characters")]
    [InlineData("missing key.pem", "does not exist")]
    [InlineData("other key", "cannot be used: its key is not that of the certificate")]
    public void Files_of_the_HTTP_interface_are_read_as_the_service_does(string damaged, string problem)
    {
        string directory = Directory.CreateTempSubdirectory("cs-doctor-").FullName;
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256), other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        File.WriteAllText($"{directory}/cert.pem", certificate.ExportCertificatePem());
        File.WriteAllText($"{directory}/key.pem", (damaged == "other key" ? other : key).ExportPkcs8PrivateKeyPem());
        File.WriteAllText($"{directory}/token", "0123456789abcdef");
        string blamed = damaged switch { "other key" or "missing key.pem" => "key.pem", var file => file };
        if (damaged.StartsWith("missing", StringComparison.Ordinal))
            File.Delete($"{directory}/key.pem");
        else if (blamed == damaged && damaged.Length > 0)
            File.WriteAllText($"{directory}/{damaged}", "rubbish");
        foreach (string file in Directory.GetFiles(directory))
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ApiSettings settings = new()
        {
            TokenFile = $"{directory}/token",
            Tls = { CertificateFile = $"{directory}/cert.pem", KeyFile = $"{directory}/key.pem" },
        };
        CheckResult[] results = [.. ApiChecks.Run(settings)];
        Directory.Delete(directory, recursive: true);
        if (damaged.Length == 0)
        {
            Assert.Empty(results);
            return;
        }

        CheckResult result = Assert.Single(results);
        Assert.Equal(CheckLevel.Fail, result.Level);
        Assert.Contains($"{directory}/{blamed} {problem}", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_buffer_is_a_warning()
    {
        Assert.Equal(CheckLevel.Warn, BufferCheck.Judge(212_992).Level);
        Assert.Equal(
            "ok    event socket: receive buffer 8192 KiB, room for some 6553 waiting events", BufferCheck.Judge(8 << 20).ToString());
    }
}
