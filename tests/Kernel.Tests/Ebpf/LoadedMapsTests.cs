using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Service;
using ConntrackStream.Sinks.MapCleaning.Ebpf;

namespace ConntrackStream.Kernel.Tests.Ebpf;

/// <summary>The maps that the kernel has loaded, pinned or not; bpftool is the oracle.</summary>
public sealed class LoadedMapsTests : IDisposable
{
    private readonly BpfDirectory _bpffs = new();
    private readonly string _name = $"cs_t{Environment.ProcessId % 100_000}";
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-twins-").FullName;

    public LoadedMapsTests() => Requirements.Tool("bpftool");

    public void Dispose()
    {
        _bpffs.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void A_map_that_only_a_descriptor_holds_is_found_until_it_is_closed()
    {
        uint id;
        using (EbpfFlowMap held = EbpfFlowMap.Create(MapOf.Layout4, 64, _name))
        {
            id = held.Info.Id;
            Assert.Contains(new LoadedMap(id, _name, MapOf.Layout4), LoadedMaps.OfKnownLayouts()!);
            Assert.Contains($"\"id\":{id},", ToolRun.Output("bpftool", ["-j", "map", "show"]), StringComparison.Ordinal);
        }

        Eventually.True(() => LoadedMaps.OfKnownLayouts()!.All(map => map.Id != id)); // the kernel frees it a moment later
    }

    [Fact]
    public async Task Doctor_names_the_old_map_that_an_agent_s_programs_may_hold()
    {
        using KernelNamespace space = new();
        string pin = _bpffs.PathOf("map");
        using EbpfFlowMap old = EbpfFlowMap.Create(MapOf.Layout4, 64, _name);
        using EbpfFlowMap otherLayout = EbpfFlowMap.Create("aws-npa-ipv4-key24-value1", 64, _name);
        using EbpfFlowMap pinned = EbpfFlowMap.Create(MapOf.Layout4, 64, _name);
        pinned.Pin(pin);
        string output = await DoctorAsync(space, pin);
        Assert.Contains(
            $"warn  map twins: {pin} is map id {pinned.Info.Id}, but other loaded maps have its name '{_name}' and its "
            + $"layout: id {old.Info.Id};",
            output,
            StringComparison.Ordinal);
        old.Dispose();
        Eventually.True(() => LoadedMaps.OfKnownLayouts()!.All(map => map.Id != old.Info.Id));
        Assert.DoesNotContain("map twins", await DoctorAsync(space, pin), StringComparison.Ordinal);
    }

    /// <summary>The map can be opened by its pin, but the kernel lists none: that there is no other one is not known.</summary>
    [Fact]
    public async Task Without_the_right_to_list_maps_doctor_says_that_it_has_not_looked()
    {
        using KernelNamespace space = new();
        string pin = _bpffs.PathOf("map");
        using EbpfFlowMap pinned = EbpfFlowMap.Create(MapOf.Layout4, 64, _name);
        pinned.Pin(pin);
        string[] without = ["netns", "exec", space.Name, "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
        string output = (await ServiceProcess.RunAsAsync("ip", [.. without, ServiceProcess.Program, .. Doctor(pin)])).Output;
        Assert.Contains(
            "ok    map twins: not looked for: listing the machine's maps needs CAP_SYS_ADMIN", output, StringComparison.Ordinal);
    }

    private async Task<string> DoctorAsync(KernelNamespace space, string pin) =>
        (await ServiceProcess.RunAsync([.. Doctor(pin), "--netns", space.Name])).Output;

    private string[] Doctor(string pin) =>
        ["doctor", "--set", $"Map:Path={pin}", "--set", $"State:Directory={_directory}", "--set", $"Api:Socket={_directory}/api.sock"];
}
