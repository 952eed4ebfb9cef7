using System.Diagnostics.Metrics;
using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Doctor;

/// <summary>The checks that modules bring with them, those of plug-ins included.</summary>
internal static class ModuleChecks
{
    internal static async Task<IReadOnlyList<CheckResult>> RunAsync(
        ServiceOptions options, NetworkNamespace networkNamespace, TimeProvider time, bool canAskKernel, CancellationToken cancellation)
    {
        List<CheckResult> results = [];
        using Meter meter = new("doctor");
        ModuleSet modules = new(options, networkNamespace, time, NullLoggerFactory.Instance, new Instruments(meter), static () => { });
        await using (modules.ConfigureAwait(false))
        {
            modules.Attach();
            CheckResult? plugIns = TryAttachPlugins(modules);
            CheckContext context = new(
                canAskKernel, !options.Tap.Filter.Build().IsEmpty, (name, token) => StatusAsync(options.Api, name, token));
            foreach (ModuleCheck check in modules.Checks)
                results.AddRange(await check(context, cancellation).ConfigureAwait(false));
            return plugIns is null ? results : [.. results, plugIns];
        }
    }

    private static CheckResult? TryAttachPlugins(ModuleSet modules)
    {
        try
        {
            modules.AttachPlugins();
            return null;
        }
        catch (ConfigurationException e)
        {
            return CheckResult.Fail("plug-in", e.Message, "see docs/plugins.md");
        }
    }

    private static async Task<JsonElement?> StatusAsync(ApiSettings api, string name, CancellationToken cancellation) =>
        api.Enabled && await ApiClient.TryStatusAsync(api.Socket, cancellation).ConfigureAwait(false) is { Modules: { } modules }
        && modules.TryGetValue(name, out JsonElement status) && status.ValueKind != JsonValueKind.Null
            ? status
            : null;
}
