using ConntrackStream.Service;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;

StandardDescriptors.Ensure();
CliContext context = CliContext.OfProcess() with { OpenInput = StandardDescriptors.OpenInput };
return await new CommandLine(context).RunAsync(args, CancellationToken.None).ConfigureAwait(false);
