function Page() {
  // sample: Multi-Model Support
  return { control, setModel };
}

const page = mount(Page);
say('secret', await start(page.result.control));
page.result.setModel('gpt-large');
say('secret', await start(page.result.control));
