module.exports = {
  require: ['tsx/cjs'],
  reporter: 'tools/reporter.ts',
  timeout: 10_000,
  diff: false,
  forbidOnly: Boolean(process.env.CI),
};
